//! What each fault stands for, for pages and documents.

/// A fault, for whoever chooses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Documented {
    /// Its word.
    pub word: &'static str,
    /// A rule with it.
    pub example: &'static str,
    /// What becomes of the call, in one sentence.
    pub effect: &'static str,
    /// The trouble of production that it stands for, in one sentence.
    pub stands_for: &'static str,
}

/// Every fault.
pub const DOCUMENTED: &[Documented] = &[
    Documented {
        word: "lose-answer",
        example: "lose-answer route=refresh",
        effect: "The call takes effect, and the connection ends without a byte of the answer.",
        stands_for: "A network that fails between the server and the client: after a refresh the \
                     client holds a pair that is spent and has never seen the new one.",
    },
    Documented {
        word: "cut-answer",
        example: "cut-answer route=/api/v2/oauth/tokens",
        effect: "The call takes effect, and the connection ends in the middle of the body.",
        stands_for: "A proxy or a server that dies while it sends: the status says success, and \
                     the JSON ends in the middle.",
    },
    Documented {
        word: "delay",
        example: "delay=2s always",
        effect: "The call takes effect at once, and its answer waits.",
        stands_for: "A slow server: a client whose time-out is shorter gives up on a call that \
                     took effect.",
    },
    Documented {
        word: "rate-limited",
        example: "rate-limited=30 route=record-api times=3",
        effect: "429 with `Retry-After` (one second, if no number is given), on the record API \
                 with a limit of which nothing is left (`X-Rate-Limit-Remaining: 0` and so on); \
                 the call takes no effect.",
        stands_for: "An account that is over the requests a minute of its plan, often by other \
                     integrations than the one that is refused.",
    },
    Documented {
        word: "status",
        example: "status=504 applied route=token-endpoint",
        effect: "500, 502, 503 or 504 in place of the answer; the call takes no effect, with \
                 `applied` it does.",
        stands_for: "A deployment, an overload or a gateway's time-out: 502 and 504 leave it open \
                     whether the call was carried out.",
    },
    Documented {
        word: "expire-token",
        example: "expire-token after=3",
        effect: "The token that the call presents expires before it: the access token, or at the \
                 token endpoint the refresh token.",
        stands_for: "The 30 minutes of an access token, or the 30 days of a refresh token, that \
                     end in the middle of a run.",
    },
    Documented {
        word: "revoke-token",
        example: "revoke-token after=3",
        effect: "The record of the token that the call presents is revoked before it, access and \
                 refresh token alike.",
        stands_for: "An administrator who deletes the token or the client, or a user who \
                     withdraws the consent: no refresh helps, somebody must sign in again.",
    },
    Documented {
        word: "rotate-token",
        example: "rotate-token route=refresh",
        effect: "The pair of the token that the call presents is refreshed before it, and nobody \
                 gets the new one.",
        stands_for: "A second worker, or a copy of the credentials elsewhere, that refreshes \
                     first: single-use refresh tokens know one winner.",
    },
    Documented {
        word: "expires-in",
        example: "expires-in=missing route=token-endpoint",
        effect: "The token answer says this number in `expires_in`, or has no such member; the \
                 token itself lives as it would.",
        stands_for: "Accounts whose tokens do not expire leave `expires_in` out or null, and \
                     clients that count on it fail or never refresh.",
    },
    Documented {
        word: "clock-skew",
        example: "clock-skew=-90s always",
        effect: "For the call the server's clock is off by so much, ahead or behind (`-`).",
        stands_for: "Clocks that disagree: a token that the client thinks fresh is refused, and \
                     times in records lie in its future.",
    },
];

impl Documented {
    /// A row of a table in Markdown.
    pub fn row(&self) -> String {
        format!("| `{}` | {} | {} |", self.example, self.effect, self.stands_for)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, RouteWord, Rule, SHIPPED, Scenario, Takes, WORDS};
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");

    #[test]
    fn every_fault_is_documented_by_a_rule_that_has_it() {
        for fault in DOCUMENTED {
            let rule: Rule = fault.example.parse().unwrap();
            assert_eq!(rule.fault.words()[0].0, fault.word);
            assert!(WORDS.iter().any(|word| word.name == fault.word), "{}", fault.word);
            for sentence in [fault.effect, fault.stands_for] {
                assert!(sentence.ends_with('.'), "{sentence}");
            }
        }
        for word in WORDS {
            // A value that each word takes, if it takes any.
            let texts = ["", "=503", "=5s"].map(|value| format!("{}{value}", word.name));
            let is_fault = texts.iter().any(|text| text.parse::<Fault>().is_ok());
            let is_documented = DOCUMENTED.iter().any(|fault| fault.word == word.name);
            assert_eq!(is_fault, is_documented, "{}", word.name);
        }
    }

    #[test]
    fn the_page_has_every_fault_word_kind_of_calls_and_scenario() {
        let page = std::fs::read_to_string(PAGE).unwrap();
        let mut rows: Vec<String> = DOCUMENTED.iter().map(Documented::row).collect();
        let kinds = RouteWord::ALL;
        rows.extend(kinds.map(|word| format!("| `{}` | {} |", word.as_str(), word.meaning())));
        for word in WORDS {
            let form = match word.takes {
                Takes::Nothing => "",
                Takes::Value(form) | Takes::ValueOr(form, _) => form,
            };
            rows.push(format!("| `{}` | {form} | {} |", word.name, word.meaning));
        }
        for shipped in SHIPPED {
            let about = Scenario::read(shipped.text).unwrap().about;
            rows.push(format!("| `{}` | {about} |", shipped.name));
        }
        let missing: Vec<&String> = rows.iter().filter(|row| !page.contains(*row)).collect();
        assert!(missing.is_empty(), "docs/faults.md lacks these rows: {missing:#?}");
    }
}
