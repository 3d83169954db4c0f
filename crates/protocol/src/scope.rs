//! Scopes (RFC 6749 §3.3), in the grammar of the record API:
//!
//! ```text
//! scope token = access / resource [ ":" access ] / "impersonate"
//! access      = "read" / "write"
//! resource    = 1*100( a–z 0–9 _ . - )
//! ```
//!
//! `read` covers every GET, `write` every other method, `<resource>:read` and `<resource>:write`
//! the same of one resource, `<resource>` both, `unrestricted` everything that `read write` covers.
//! A name that the configuration does not know is a scope token that grants nothing.

pub mod explanation;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};

use crate::secret::redacted;

/// The most scope tokens of one scope.
pub const TOKENS_MAX: usize = 50;
/// The most characters of one scope, spaces included.
pub const LENGTH_MAX: usize = 2_000;
const NAME_MAX: usize = 100;

/// What a request does: `read` is GET and HEAD, `write` everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// GET, HEAD
    Read,
    /// POST, PUT, PATCH, DELETE
    Write,
}

impl Access {
    /// The word in a scope.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The methods that it stands for.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["GET", "HEAD"],
            Self::Write => &["POST", "PUT", "PATCH", "DELETE"],
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            _ => None,
        }
    }
}

/// One word of a scope, within the grammar.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeToken(String);

/// Text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidScope {
    /// A word breaks the grammar.
    #[error("{0:?} is not a scope: use a-z 0-9 _ . - and at most one :read or :write")]
    Token(String),
    /// More than [`TOKENS_MAX`] words or [`LENGTH_MAX`] characters.
    #[error("a scope has at most 50 names and 2000 characters")]
    TooLong,
    /// No word at all.
    #[error("a scope names at least one permission")]
    Empty,
}

impl ScopeToken {
    /// Reads one word.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let name = match text.split_once(':') {
            Some((name, access))
                if Access::parse(access).is_some() && Access::parse(name).is_none() =>
            {
                name
            }
            Some(_) => "",
            None => text,
        };
        let fits = (1..=NAME_MAX).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidScope::Token(redacted(text).chars().take(NAME_MAX).collect()))
        }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ScopeToken {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

impl From<ScopeToken> for String {
    fn from(token: ScopeToken) -> Self {
        token.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a token may do: at least one word, in the order of asking, none twice. Shared by whoever
/// has it: records are copied more often than scopes are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(Arc<[ScopeToken]>);

impl Scope {
    /// The scope of whoever asks for none: `read`.
    pub fn read() -> Self {
        Self([ScopeToken("read".to_owned())].into())
    }

    /// What stands for names of which none was approved, where unknown ones are accepted.
    pub fn not_approved() -> Self {
        Self([ScopeToken(NOT_APPROVED.to_owned())].into())
    }

    /// All that a scope can grant.
    pub fn everything() -> Self {
        let words = Access::BOTH.map(Access::as_str).into_iter().chain([IMPERSONATE]);
        Self(words.map(|word| ScopeToken(word.to_owned())).collect())
    }

    /// Takes words in order and drops repetitions.
    pub fn from_tokens(tokens: impl IntoIterator<Item = ScopeToken>) -> Result<Self, InvalidScope> {
        let mut kept: Vec<ScopeToken> = Vec::new();
        for token in tokens {
            if !kept.contains(&token) {
                kept.push(token);
            }
            if kept.len() > TOKENS_MAX {
                return Err(InvalidScope::TooLong);
            }
        }
        let length: usize = kept.iter().map(|token| token.as_str().len() + 1).sum();
        match kept.len() {
            0 => Err(InvalidScope::Empty),
            _ if length > LENGTH_MAX + 1 => Err(InvalidScope::TooLong),
            _ => Ok(Self(kept.into())),
        }
    }

    /// Reads words separated by spaces, as the grant endpoints send them.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > LENGTH_MAX {
            return Err(InvalidScope::TooLong);
        }
        let words = text.split(' ').filter(|word| !word.is_empty());
        Self::from_tokens(words.map(ScopeToken::parse).collect::<Result<Vec<_>, _>>()?)
    }

    /// The words.
    pub fn tokens(&self) -> &[ScopeToken] {
        &self.0
    }

    /// Whether the word is there that lets an administrator's call run as an end user.
    pub fn impersonates(&self) -> bool {
        self.0.iter().any(|word| word.as_str() == IMPERSONATE)
    }

    /// The words of this scope that `ceiling` does not have, word by word or by what they cover.
    pub fn beyond<'a>(&'a self, ceiling: &Self, catalog: &ScopeCatalog) -> Vec<&'a ScopeToken> {
        let covered =
            |token: &&ScopeToken| ceiling.0.contains(token) || catalog.covers_token(ceiling, token);
        self.0.iter().filter(|token| !covered(token)).collect()
    }

    /// The part of this scope that `ceiling` allows; `None` when nothing is left.
    pub fn within(&self, ceiling: &Self, catalog: &ScopeCatalog) -> Option<Self> {
        let beyond = self.beyond(ceiling, catalog);
        let kept: Vec<_> = self.0.iter().filter(|token| !beyond.contains(token)).cloned().collect();
        (!kept.is_empty()).then(|| Self(kept.into()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.0.iter().enumerate() {
            if at > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(token.as_str())?;
        }
        Ok(())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// What a request needs: access to a resource, which the resource's own scopes or the general ones
/// grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// The resource, for example `oauth`.
    pub resource: &'static str,
    /// Reading or writing.
    pub access: Access,
}

/// The names that mean something here: the general words and the configured resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeCatalog {
    resources: BTreeMap<String, Vec<Access>>,
}

/// Stands in a scope for a list that was sent where a string belongs, and grants nothing: no
/// configuration can give it a meaning.
pub const NOT_A_STRING: &str = "not-a-string";
/// Stands there for names of which none was approved, in the same way.
const NOT_APPROVED: &str = "not-approved";
const UNRESTRICTED: &str = "unrestricted";
const IMPERSONATE: &str = "impersonate";

impl Access {
    const BOTH: [Self; 2] = [Self::Read, Self::Write];
}

impl ScopeCatalog {
    /// Takes resources as scope tokens: `tickets` offers both, `auditlogs:read` one access.
    pub fn new<'a>(resources: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidScope> {
        let mut known: BTreeMap<String, Vec<Access>> = BTreeMap::new();
        for entry in resources {
            let token = ScopeToken::parse(entry)?;
            let (name, access) = token.split();
            let is_taken = [IMPERSONATE, NOT_A_STRING, NOT_APPROVED].contains(&name);
            if !general(name).is_empty() || is_taken {
                return Err(InvalidScope::Token(entry.to_owned()));
            }
            let offered = known.entry(name.to_owned()).or_default();
            for access in access.map_or(Access::BOTH.to_vec(), |access| vec![access]) {
                if !offered.contains(&access) {
                    offered.push(access);
                }
            }
        }
        Ok(Self { resources: known })
    }

    /// The resources, in order, each with the accesses that it offers.
    pub fn resources(&self) -> impl Iterator<Item = (&str, &[Access])> {
        self.resources.iter().map(|(name, offered)| (name.as_str(), offered.as_slice()))
    }

    /// Every name that means something, as metadata lists them (RFC 8414 `scopes_supported`).
    pub fn names(&self) -> Vec<String> {
        let general = ["read", "write", IMPERSONATE].map(str::to_owned);
        let resources = self.resources.iter().flat_map(|(name, offered)| {
            offered.iter().map(move |access| format!("{name}:{}", access.as_str()))
        });
        general.into_iter().chain(resources).collect()
    }

    /// Whether `token` means something here.
    pub fn knows(&self, token: &ScopeToken) -> bool {
        token.as_str() == IMPERSONATE || self.grants(token).next().is_some()
    }

    /// The words of `scope` that mean nothing here.
    pub fn unknown<'a>(&self, scope: &'a Scope) -> Vec<&'a ScopeToken> {
        scope.tokens().iter().filter(|token| !self.knows(token)).collect()
    }

    /// Whether `scope` may do what a request needs.
    pub fn covers(&self, scope: &Scope, need: Requirement) -> bool {
        scope.tokens().iter().any(|token| {
            self.grants(token).any(|(resource, access)| {
                access == need.access && resource.is_none_or(|resource| resource == need.resource)
            })
        })
    }

    /// Whether `scope` may do all that `token` may. A token that grants nothing is never covered
    /// by what it covers.
    fn covers_token(&self, scope: &Scope, token: &ScopeToken) -> bool {
        let wanted: Vec<_> = self.grants(token).collect();
        let held: Vec<_> = scope.tokens().iter().flat_map(|token| self.grants(token)).collect();
        !wanted.is_empty()
            && wanted.iter().all(|(resource, access)| {
                held.iter().any(|(held_resource, held_access)| {
                    held_access == access
                        && held_resource.is_none_or(|held| Some(held) == *resource)
                })
            })
    }

    /// What one word grants: accesses to one resource, or to every resource (`None`).
    fn grants<'a>(
        &'a self,
        token: &'a ScopeToken,
    ) -> impl Iterator<Item = (Option<&'a str>, Access)> {
        let general = general(token.as_str());
        let (name, asked) = token.split();
        let resource = if general.is_empty() { Some(name) } else { None };
        let offered = resource.and_then(|name| self.resources.get(name));
        let offered = offered.map_or(general, Vec::as_slice);
        let granted = offered.iter().filter(move |access| {
            resource.is_none() || asked.is_none_or(|asked| asked == **access)
        });
        granted.map(move |access| (resource, *access))
    }
}

/// What a general word grants of every resource; nothing for other words.
fn general(word: &str) -> &'static [Access] {
    match word {
        UNRESTRICTED => &Access::BOTH,
        word => match Access::parse(word) {
            Some(Access::Read) => &[Access::Read],
            Some(Access::Write) => &[Access::Write],
            None => &[],
        },
    }
}

impl ScopeToken {
    fn split(&self) -> (&str, Option<Access>) {
        match self.0.split_once(':') {
            Some((name, access)) => (name, Access::parse(access)),
            None => (&self.0, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn catalog() -> ScopeCatalog {
        ScopeCatalog::new(["tickets", "users", "auditlogs:read", "oauth"]).unwrap()
    }

    fn need(resource: &'static str, access: Access) -> Requirement {
        Requirement { resource, access }
    }

    #[test]
    fn what_a_scope_covers() {
        use Access::{Read, Write};
        for (scope, resource, access, expected) in [
            ("read", "users", Read, true),
            ("read", "users", Write, false),
            ("write", "users", Read, false),
            ("write", "users", Write, true),
            ("users:read", "users", Read, true),
            ("users:read", "users", Write, false),
            ("users:read", "oauth", Read, false),
            ("users", "users", Write, true),
            ("unrestricted", "users", Write, true),
            ("unrestricted", "users", Read, true),
            ("impersonate", "users", Read, false),
            ("reed", "users", Read, false),
            ("auditlogs", "auditlogs", Read, true),
            ("auditlogs:write", "auditlogs", Write, false),
            ("tickets:read users:write", "users", Write, true),
        ] {
            let scope = Scope::parse(scope).unwrap();
            assert_eq!(catalog().covers(&scope, need(resource, access)), expected, "{scope}");
        }
    }

    #[test]
    fn what_is_beyond_a_ceiling() {
        for (scope, ceiling, beyond) in [
            ("read write", "read", "write"),
            ("tickets:read", "read", ""),
            ("tickets", "read", "tickets"),
            ("tickets", "tickets:read tickets:write", ""),
            ("read", "tickets:read users:read", "read"),
            ("impersonate", "read write", "impersonate"),
            ("unrestricted", "read write", ""),
            ("reed", "read", "reed"),
            ("reed", "reed", ""),
        ] {
            let (scope, ceiling) = (Scope::parse(scope).unwrap(), Scope::parse(ceiling).unwrap());
            let found: Vec<_> =
                scope.beyond(&ceiling, &catalog()).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), beyond, "{scope} against {ceiling}");
        }
    }

    #[test]
    fn the_grammar_of_a_word() {
        for good in ["read", "tickets:read", "a.b_c-1", "impersonate", "unrestricted"] {
            assert!(ScopeToken::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Read",
            "a b",
            "tickets:",
            ":read",
            "tickets:delete",
            "a:b:read",
            "read:write",
            "é",
            &"x".repeat(101),
        ] {
            assert!(ScopeToken::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_resource_has_at_most_100_characters_whatever_is_asked_of_it() {
        for access in ["", ":read", ":write"] {
            let longest = format!("{}{access}", "x".repeat(NAME_MAX));
            assert!(ScopeToken::parse(&longest).is_ok(), "{longest}");
            assert!(ScopeToken::parse(&format!("x{longest}")).is_err(), "x{longest}");
        }
    }

    #[test]
    fn what_stands_for_no_scope_can_be_no_resource() {
        for name in [NOT_A_STRING, Scope::not_approved().tokens()[0].as_str()] {
            assert!(ScopeCatalog::new([name]).is_err(), "{name}");
            assert!(!catalog().knows(&ScopeToken::parse(name).unwrap()), "{name}");
        }
    }

    #[test]
    fn every_name_that_a_catalog_lists_can_be_asked_for() {
        let longest = "x".repeat(NAME_MAX);
        for resource in [longest.as_str(), "auditlogs:read", "a.b_c-1"] {
            let catalog = ScopeCatalog::new([resource]).unwrap();
            for name in catalog.names() {
                let token = ScopeToken::parse(&name).unwrap();
                assert!(catalog.knows(&token), "{name}");
            }
        }
    }

    #[test]
    fn a_scope_has_1_to_50_words_and_at_most_2000_characters() {
        let words = |count: usize| (0..count).map(|at| format!("w{at}")).collect::<Vec<_>>();
        assert!(Scope::parse(&words(TOKENS_MAX).join(" ")).is_ok());
        for count in [TOKENS_MAX + 1, TOKENS_MAX + 10] {
            assert_eq!(Scope::parse(&words(count).join(" ")), Err(InvalidScope::TooLong));
        }
        for nothing in ["", "   "] {
            assert_eq!(Scope::parse(nothing), Err(InvalidScope::Empty), "{nothing:?}");
        }
        assert_eq!(Scope::from_tokens([]), Err(InvalidScope::Empty));

        // 19 words of 100 characters and one that fills what is left.
        let of_length = |length: usize| {
            let full = (0..19).map(|at| format!("{at:0>100}"));
            let last = "x".repeat(length - 19 * 101);
            full.chain([last]).collect::<Vec<_>>().join(" ")
        };
        let tokens = |text: &str| {
            let words = text.split(' ').map(|word| ScopeToken::parse(word).unwrap());
            Scope::from_tokens(words.collect::<Vec<_>>())
        };
        let longest = of_length(LENGTH_MAX);
        assert_eq!(Scope::parse(&longest).unwrap().to_string(), longest);
        assert_eq!(tokens(&longest).unwrap().to_string(), longest);
        for excess in [1, 5] {
            let long = of_length(LENGTH_MAX + excess);
            assert_eq!(Scope::parse(&long), Err(InvalidScope::TooLong), "{excess} more");
            assert_eq!(tokens(&long), Err(InvalidScope::TooLong), "{excess} more");
        }
    }

    #[test]
    fn a_text_over_the_bound_is_refused_although_its_words_repeat() {
        let text = |length: usize| format!("{}read", " ".repeat(length - 4));
        assert_eq!(Scope::parse(&text(LENGTH_MAX)), Ok(Scope::read()));
        for excess in [1, 100] {
            assert_eq!(Scope::parse(&text(LENGTH_MAX + excess)), Err(InvalidScope::TooLong));
        }
    }

    #[test]
    fn a_word_is_written_as_text_and_read_by_the_same_rule() {
        let token = ScopeToken::parse("tickets:read").unwrap();
        let json = serde_json::to_string(&token).unwrap();
        assert_eq!(json, r#""tickets:read""#);
        assert_eq!(serde_json::from_str::<ScopeToken>(&json).unwrap(), token);
        assert!(serde_json::from_str::<ScopeToken>(r#""tickets:delete""#).is_err());
    }

    #[test]
    fn the_words_that_mean_nothing_are_told_in_the_order_of_asking() {
        let scope = Scope::parse("reed tickets impersonate auditlogs:write read rite").unwrap();
        let catalog = catalog();
        let unknown = catalog.unknown(&scope).into_iter().map(ScopeToken::as_str);
        assert_eq!(unknown.collect::<Vec<_>>(), ["reed", "auditlogs:write", "rite"]);
    }

    #[test]
    fn nothing_is_left_of_a_scope_that_is_wholly_beyond_its_ceiling() {
        let scope = |text| Scope::parse(text).unwrap();
        for (asked, ceiling, left) in
            [("write tickets:read", "tickets", Some("tickets:read")), ("write", "tickets", None)]
        {
            let found = scope(asked).within(&scope(ceiling), &catalog());
            assert_eq!(found.map(|left| left.to_string()).as_deref(), left, "{asked}");
        }
    }

    #[test]
    fn a_catalog_knows_its_names_and_lists_them() {
        let catalog = catalog();
        assert!(catalog.knows(&ScopeToken::parse("impersonate").unwrap()));
        assert!(!catalog.knows(&ScopeToken::parse("auditlogs:write").unwrap()));
        assert!(!catalog.knows(&ScopeToken::parse("reed").unwrap()));
        assert_eq!(
            catalog.names().join(" "),
            "read write impersonate auditlogs:read oauth:read oauth:write tickets:read \
             tickets:write users:read users:write"
        );
        assert!(ScopeCatalog::new(["read"]).is_err());
    }

    proptest! {
        #[test]
        fn a_scope_keeps_order_drops_repetitions_and_reads_back(
            words in prop::collection::vec("[a-z][a-z0-9_]{0,8}(:read|:write)?", 1..20),
        ) {
            let text = words.join(" ");
            prop_assume!(words.iter().all(|word| ScopeToken::parse(word).is_ok()));
            let scope = Scope::parse(&text).unwrap();
            prop_assert_eq!(&Scope::parse(&scope.to_string()).unwrap(), &scope);
            let mut expected: Vec<&str> = Vec::new();
            for word in &words {
                if !expected.contains(&word.as_str()) {
                    expected.push(word);
                }
            }
            prop_assert_eq!(scope.to_string(), expected.join(" "));
        }

        #[test]
        fn a_part_of_a_scope_is_never_beyond_it(
            words in prop::collection::vec("(read|write|tickets|users:read|reed)", 1..6),
            keep in any::<prop::sample::Index>(),
        ) {
            let scope = Scope::parse(&words.join(" ")).unwrap();
            let part = Scope::from_tokens([keep.get(scope.tokens()).clone()]).unwrap();
            prop_assert!(part.beyond(&scope, &catalog()).is_empty());
            prop_assert_eq!(part.within(&scope, &catalog()), Some(part));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            let _ = Scope::parse(&text);
        }
    }
}
