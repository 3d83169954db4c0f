//! Every address of the control in one table: what answers it, and what the reference says of it.

use std::{fmt::Write as _, sync::Arc};

use axum::routing::{MethodRouter, delete, get, post};

use super::{clock, faults, journal, page, reset, scenarios, snapshots, state, tokens};
use crate::double::Double;

/// An address and a method.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// With what varies in braces.
    pub path: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The members of the body, each with what it means; none: no body.
    pub body: &'static [Member],
    /// The status of success.
    pub status: u16,
    /// The members of the answer; none: no JSON.
    pub answer: &'static [Member],
    /// A request that works when those of the rows above have been made: its target and its body.
    pub example: (&'static str, &'static str),
    pub(super) handler: fn() -> MethodRouter<Arc<Double>>,
}

/// A member of a JSON object, and what it means.
pub type Member = (&'static str, &'static str);

const RECORD: &[Member] = &[
    ("id", "of the token record"),
    ("client_id", "whose token it is"),
    ("user_id", "for whom"),
    ("scopes", "what it may do"),
    ("access_token", "in full, in the form in which the profile gives it"),
    ("expires_at", "absent: it does not expire"),
    ("refresh_token", "in full, where there is one"),
    ("refresh_token_expires_at", "where there is one"),
];
const JOURNAL: &[Member] = &[
    ("entries", "calls, the oldest first, without a secret in them"),
    ("last", "the number of the newest call: from where to read on"),
    ("dropped", "how many calls have had to make room"),
    ("cleared", "the newest call that was forgotten when the journal was cleared; 0: never"),
];
const CLOCK: &[Member] = &[
    ("now", "what it shows"),
    ("frozen", "whether it stands still"),
    ("ahead_seconds", "how far it is ahead of the machine's clock"),
];
const RULE: &[Member] = &[
    ("id", "by which it can be ended"),
    ("text", "the rule in one line"),
    ("rule", "the same by its words"),
    ("matched", "how many calls it was for"),
    ("struck", "how many of them it struck"),
    ("spent", "whether it will strike no more"),
];
const NOTHING: &[Member] = &[];

/// The table. Paths with the same form stand together.
pub const ALL: &[Address] = &[
    Address {
        method: "GET",
        path: "/",
        about: "The page for people: what one needs to connect, and what goes wrong at the moment.",
        body: NOTHING,
        status: 200,
        answer: NOTHING,
        example: ("/", ""),
        handler: || get(page::home),
    },
    Address {
        method: "GET",
        path: "/twin",
        about: "Leads to that page.",
        body: NOTHING,
        status: 303,
        answer: NOTHING,
        example: ("/twin", ""),
        handler: || get(page::to_home),
    },
    Address {
        method: "GET",
        path: "/twin/connect",
        about: "What one needs to connect, with every credential in full.",
        body: NOTHING,
        status: 200,
        answer: &[
            ("base_url", "its address"),
            ("subdomain", "the account's name"),
            ("profile", "the state that the account is in"),
            ("addresses", "of its endpoints"),
            ("credentials", "of users, clients and programs"),
            ("commands", "that work as they stand"),
            ("variables", "the environment of client libraries"),
            ("libraries", "what each client library is given"),
            ("https", "the proxy for Zendesk's own address and whom to trust, if there is one"),
        ],
        example: ("/twin/connect", ""),
        handler: || get(page::connect),
    },
    Address {
        method: "GET",
        path: "/twin/connect.env",
        about: "The environment of client libraries as lines for a shell: `eval \"$(curl …)\"`.",
        body: NOTHING,
        status: 200,
        answer: NOTHING,
        example: ("/twin/connect.env", ""),
        handler: || get(page::exports),
    },
    Address {
        method: "GET",
        path: "/twin/ca.pem",
        about: "The certificate that clients of the proxy for Zendesk's own address have to \
                trust; 404 of a twin without one.",
        body: NOTHING,
        status: 200,
        answer: NOTHING,
        example: ("/twin/ca.pem", ""),
        handler: || get(page::authority),
    },
    Address {
        method: "GET",
        path: "/twin/assets/{file}",
        about: "What the pages are made of.",
        body: NOTHING,
        status: 200,
        answer: NOTHING,
        example: ("/twin/assets/twin.css", ""),
        handler: || get(page::asset),
    },
    Address {
        method: "GET",
        path: "/twin/state",
        about: "What the twin is like at this moment.",
        body: NOTHING,
        status: 200,
        answer: &[
            ("double", "always `true`: nobody takes it for Zendesk"),
            ("profile", "the state that the account is in"),
            ("base_url", "its address"),
            ("subdomain", "the account's name"),
            ("clock", "as `GET /twin/clock`"),
            ("fault_seed", "what decides about probabilities"),
            ("faults", "the rules in force"),
            ("snapshots", "the names of the moments that are kept"),
            (
                "account",
                "who and what was planted, with every credential in full: of a pair the newest",
            ),
        ],
        example: ("/twin/state", ""),
        handler: || get(state::show),
    },
    Address {
        method: "GET",
        path: "/twin/clock",
        about: "What time it is for everything in the twin.",
        body: NOTHING,
        status: 200,
        answer: CLOCK,
        example: ("/twin/clock", ""),
        handler: || get(clock::show),
    },
    Address {
        method: "POST",
        path: "/twin/clock",
        about: "Turns the clock: sets it, moves it on, stops it or lets it go, in this order.",
        body: &[
            ("set", "to this time, such as `2027-04-30T00:00:00Z`"),
            ("advance", "on by so many seconds, or a text: `31d`, `90m`, `-1h`"),
            ("frozen", "`true`: it stands still; `false`: it goes on"),
        ],
        status: 200,
        answer: CLOCK,
        example: ("/twin/clock", r#"{"advance":"90m","frozen":true}"#),
        handler: || post(clock::turn),
    },
    Address {
        method: "GET",
        path: "/twin/faults",
        about: "The rules in force, and how often each has struck.",
        body: NOTHING,
        status: 200,
        answer: &[("seed", "what decides about probabilities"), ("faults", "the rules")],
        example: ("/twin/faults", ""),
        handler: || get(faults::list),
    },
    Address {
        method: "POST",
        path: "/twin/faults",
        about: "Puts a rule in force, behind those there are. The words are in \
            [faults.md](../faults.md).",
        body: &[
            ("text", "a rule in one line; or instead of it"),
            ("…", "its words as members, `_` for `-`: `{\"status\":503,\"every\":3}`"),
        ],
        status: 201,
        answer: RULE,
        example: ("/twin/faults", r#"{"text":"lose-answer route=refresh every=3"}"#),
        handler: || post(faults::add),
    },
    Address {
        method: "DELETE",
        path: "/twin/faults/{id}",
        about: "Ends a rule.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/faults/1", ""),
        handler: || delete(faults::remove),
    },
    Address {
        method: "DELETE",
        path: "/twin/faults",
        about: "Ends all of them. Ids begin anew.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/faults", ""),
        handler: || delete(faults::clear),
    },
    Address {
        method: "GET",
        path: "/twin/scenarios",
        about: "The scenarios that come with the twin.",
        body: NOTHING,
        status: 200,
        answer: &[("scenarios", "each with `name`, `about`, `profile`")],
        example: ("/twin/scenarios", ""),
        handler: || get(scenarios::list),
    },
    Address {
        method: "POST",
        path: "/twin/scenario",
        about: "Begins a scenario in place of all rules in force. One that names a profile begins \
            with \
                a reset into it.",
        body: &[
            ("name", "alone: one that comes with the twin. With the others: what yours is called"),
            ("about", "what happens, and what a good client does"),
            ("profile", "the state that the account has to be in"),
            ("seed", "what decides about probabilities"),
            ("fault", "rules, as texts or by their words"),
            ("clock", "turns of the clock: `{\"after_calls\":3,\"advance\":\"31d\"}`"),
        ],
        status: 200,
        answer: &[
            ("name", "what it is called"),
            ("about", "what happens"),
            ("profile", "`null`: it takes any"),
            ("seed", "what decides about probabilities"),
            ("faults", "the rules in force from now on"),
        ],
        example: ("/twin/scenario", r#"{"name":"lost-refresh-answer"}"#),
        handler: || post(scenarios::begin),
    },
    Address {
        method: "GET",
        path: "/twin/journal",
        about: "Every call with its outcome, as `journal.json`; to a browser, a page.",
        body: NOTHING,
        status: 200,
        answer: JOURNAL,
        example: ("/twin/journal?since=0", ""),
        handler: || get(journal::show),
    },
    Address {
        method: "GET",
        path: "/twin/journal.json",
        about: "Calls behind the number `since`, by `path`, `status` and other filters; with \
            `wait=5s` it \
                answers as soon as there is one.",
        body: NOTHING,
        status: 200,
        answer: JOURNAL,
        example: ("/twin/journal.json?since=0", ""),
        handler: || get(journal::entries),
    },
    Address {
        method: "DELETE",
        path: "/twin/journal",
        about: "Forgets every call. Numbers go on.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/journal", ""),
        handler: || delete(journal::clear),
    },
    Address {
        method: "POST",
        path: "/twin/tokens",
        about: "Makes a token record as if its client had asked for it, without a browser.",
        body: &[
            ("client", "its identifier or id"),
            ("user", "an e-mail address or id; of `client_credentials` it may be left out"),
            ("scopes", "what it may do"),
            (
                "grant_type",
                "`authorization_code` (the default: a pair), `client_credentials`, or `created`, \
                 as through the record API",
            ),
            ("expires_in", "seconds that the access token lives; without it, as the profile says"),
            ("refresh_token_expires_in", "likewise of the refresh token"),
        ],
        status: 201,
        answer: RECORD,
        example: (
            "/twin/tokens",
            r#"{"client":"acme_mobile","user":"cleo@acme.test","scopes":["read"]}"#,
        ),
        handler: || post(tokens::issue),
    },
    Address {
        method: "POST",
        path: "/twin/codes",
        about: "An authorization code as if the user had consented: the client redeems it as ever.",
        body: &[
            ("client", "its identifier or id"),
            ("user", "an e-mail address or id"),
            ("scopes", "what it may do"),
            ("redirect_uri", "one of the client's; without it, its only one"),
            ("code_challenge", "S256; public clients must have one"),
            ("state", "given back unchanged"),
        ],
        status: 201,
        answer: &[
            ("id", "of the record whose tokens are given for the code"),
            ("code", "in full"),
            ("location", "the redirect address as the browser would be sent to it"),
            ("expires_at", "two minutes later"),
        ],
        example: (
            "/twin/codes",
            r#"{"client":"acme_reports","user":"cleo@acme.test","scopes":["read"],"state":"xyz"}"#,
        ),
        handler: || post(tokens::authorize),
    },
    Address {
        method: "POST",
        path: "/twin/tokens/{id}/expire",
        about: "The access token is over; its refresh token lives on.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/tokens/1004/expire", ""),
        handler: || post(tokens::expire),
    },
    Address {
        method: "POST",
        path: "/twin/tokens/{id}/rotate",
        about: "Somebody else refreshes the pair behind its client's back.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/tokens/1004/rotate", ""),
        handler: || post(tokens::rotate),
    },
    Address {
        method: "POST",
        path: "/twin/tokens/{id}/revoke",
        about: "The whole record is over.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/tokens/1004/revoke", ""),
        handler: || post(tokens::revoke),
    },
    Address {
        method: "POST",
        path: "/twin/snapshots/{name}",
        about: "Keeps this moment under a name: account, clock, faults. What had the name is gone.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/snapshots/signed-in", ""),
        handler: || post(snapshots::take),
    },
    Address {
        method: "GET",
        path: "/twin/snapshots",
        about: "The names of the moments that are kept.",
        body: NOTHING,
        status: 200,
        answer: &[("snapshots", "the names, in order")],
        example: ("/twin/snapshots", ""),
        handler: || get(snapshots::list),
    },
    Address {
        method: "POST",
        path: "/twin/snapshots/{name}/restore",
        about: "Goes back to that moment, as often as one likes. The journal is empty then.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/snapshots/signed-in/restore", ""),
        handler: || post(snapshots::restore),
    },
    Address {
        method: "DELETE",
        path: "/twin/snapshots/{name}",
        about: "Forgets the moment.",
        body: NOTHING,
        status: 204,
        answer: NOTHING,
        example: ("/twin/snapshots/signed-in", ""),
        handler: || delete(snapshots::forget),
    },
    Address {
        method: "POST",
        path: "/twin/reset",
        about: "Everything as it was at the start: account, clock, faults of the command line; the \
                journal is empty.",
        body: &[(
            "profile",
            "the state that the account is in from now on; without it, as at the start",
        )],
        status: 204,
        answer: NOTHING,
        example: ("/twin/reset", r#"{"profile":"enforced"}"#),
        handler: || post(reset::reset),
    },
];

/// The reference, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# The control of a twin\n\n\
         Generated from `crates/twin/src/control/addresses.rs` by `cargo xtask docs`. What a twin \
         is: \
         [twin.md](../twin.md).\n\n\
         Bodies are JSON; an empty one is `{}`. Errors are JSON with `error` and \
         `error_description`: 400 what cannot be read, 404 what is not there, 405 the wrong \
         method, \
         409 what stands in the way. A request that a browser sends from another site's page is \
         refused (403). Nothing here is struck by faults, and nothing of it stands in the \
         journal.\n\n\
         | method | address | what it does |\n|---|---|---|\n",
    );
    // Writing to a string does not fail.
    for Address { method, path, about, .. } in ALL {
        let _ = writeln!(page, "| {method} | `{path}` | {about} |");
    }
    for address in ALL {
        section(&mut page, address);
    }
    page
}

fn section(page: &mut String, address: &Address) {
    let Address { method, path, about, body, status, answer, example: (target, sent), .. } =
        address;
    let _ = write!(page, "\n## {method} {path}\n\n{about} Answers {status}.\n");
    members(page, "Body", body);
    members(page, "Answer", answer);
    let command = match (*method, *sent) {
        ("GET", _) => format!("curl http://127.0.0.1:4000{target}"),
        (_, "") => format!("curl -X {method} http://127.0.0.1:4000{target}"),
        (_, sent) => format!("curl -X {method} http://127.0.0.1:4000{target} -d '{sent}'"),
    };
    let _ = write!(page, "\n    {command}\n");
}

fn members(page: &mut String, title: &str, members: &[Member]) {
    if members.is_empty() {
        return;
    }
    let _ = write!(page, "\n{title}:\n\n");
    for (name, meaning) in members {
        let _ = writeln!(page, "- `{name}`: {meaning}");
    }
}
