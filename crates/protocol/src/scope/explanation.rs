//! What a scope allows, word by word and as a whole, for whoever has to choose one.

use std::collections::BTreeSet;

use super::{Access, IMPERSONATE, Scope, ScopeCatalog, ScopeToken};

/// An access to a resource, or to every resource (`None`, which comes first).
pub type Grant<'a> = (Option<&'a str>, Access);

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedWord<'a> {
    /// The word.
    pub word: &'a ScopeToken,
    /// What it grants; empty if it grants nothing, and of `impersonate`, which grants no access.
    pub grants: BTreeSet<Grant<'a>>,
    /// Other words of the scope that grant all of that already; empty if the word is needed.
    pub covered_by: Vec<&'a ScopeToken>,
}

/// A whole scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedScope<'a> {
    /// Its words, in their order.
    pub words: Vec<ExplainedWord<'a>>,
    /// All that it grants, without what is part of a general access.
    pub grants: BTreeSet<Grant<'a>>,
    /// Whether it allows requests in the name of other people.
    pub impersonates: bool,
}

impl ExplainedWord<'_> {
    /// Whether it means nothing here.
    pub fn grants_nothing(&self) -> bool {
        self.grants.is_empty() && self.word.as_str() != IMPERSONATE
    }
}

impl ScopeCatalog {
    /// Says what `scope` allows here.
    pub fn explain<'a>(&'a self, scope: &'a Scope) -> ExplainedScope<'a> {
        let granted: Vec<(&ScopeToken, BTreeSet<Grant<'_>>)> =
            scope.tokens().iter().map(|word| (word, self.grants(word).collect())).collect();
        let needed = needed(&granted);
        let words = granted.iter().map(|(word, grants)| {
            let is_needed = needed.contains(word) || grants.is_empty();
            let by = granted.iter().filter(|(other, theirs)| {
                let shares = grants.iter().any(|grant| is_covered(grant, theirs));
                !is_needed && needed.contains(other) && shares
            });
            let covered_by = by.map(|(other, _)| *other).collect();
            ExplainedWord { word, grants: grants.clone(), covered_by }
        });
        let words = words.collect();
        let all: BTreeSet<_> = granted.into_iter().flat_map(|(_, grants)| grants).collect();
        let is_general = |access| all.contains(&(None, access));
        let grants = all.iter().filter(|(of, access)| of.is_none() || !is_general(*access));
        let impersonates = scope.impersonates();
        ExplainedScope { words, grants: grants.copied().collect(), impersonates }
    }
}

fn is_covered((resource, access): &Grant<'_>, held: &BTreeSet<Grant<'_>>) -> bool {
    held.contains(&(None, *access)) || held.contains(&(*resource, *access))
}

/// The words without which something would be missing. Of two that could stand for each other the
/// wider one stays, and of the same width the first.
fn needed<'a>(granted: &[(&'a ScopeToken, BTreeSet<Grant<'_>>)]) -> Vec<&'a ScopeToken> {
    let width = |grants: &BTreeSet<Grant<'_>>| {
        let general = grants.iter().filter(|(resource, _)| resource.is_none()).count();
        (general, grants.len())
    };
    let mut kept: Vec<_> = granted.iter().filter(|(_, grants)| !grants.is_empty()).collect();
    let mut narrowest_first: Vec<_> = kept.iter().rev().copied().collect();
    narrowest_first.sort_by_key(|(_, grants)| width(grants));
    for (word, grants) in narrowest_first {
        let others: BTreeSet<_> = kept
            .iter()
            .filter(|(other, _)| other != word)
            .flat_map(|(_, grants)| grants.iter().copied())
            .collect();
        if grants.iter().all(|grant| is_covered(grant, &others)) {
            kept.retain(|(other, _)| other != word);
        }
    }
    kept.into_iter().map(|(word, _)| *word).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scope::Requirement;

    const RESOURCES: [&str; 3] = ["tickets", "users", "auditlogs"];

    fn catalog() -> ScopeCatalog {
        ScopeCatalog::new(["tickets", "users", "auditlogs:read"]).unwrap()
    }

    #[test]
    fn a_word_that_others_cover_is_pointed_out_with_those_that_do() {
        for (scope, expected) in [
            ("users:write read", ""),
            ("users:read read", "users:read by read"),
            ("users users:read", "users:read by users"),
            ("read write unrestricted", "read by unrestricted, write by unrestricted"),
            ("read write tickets", "tickets by read write"),
            ("auditlogs auditlogs:read", "auditlogs:read by auditlogs"),
            ("reed impersonate read", ""),
            ("tickets:read tickets:write", ""),
        ] {
            let (catalog, scope) = (catalog(), Scope::parse(scope).unwrap());
            let explained = catalog.explain(&scope);
            let redundant = explained.words.iter().filter(|word| !word.covered_by.is_empty());
            let told = redundant.map(|word| {
                let by = word.covered_by.iter().map(ToString::to_string).collect::<Vec<_>>();
                format!("{} by {}", word.word, by.join(" "))
            });
            assert_eq!(told.collect::<Vec<_>>().join(", "), expected, "{scope}");
        }
    }

    #[test]
    fn what_means_nothing_grants_nothing_and_impersonation_is_no_access() {
        let (catalog, scope) = (catalog(), Scope::parse("reed impersonate read").unwrap());
        let explained = catalog.explain(&scope);
        let nothing = explained.words.iter().filter(|word| word.grants_nothing());
        assert_eq!(nothing.map(|word| word.word.as_str()).collect::<Vec<_>>(), ["reed"]);
        assert!(explained.impersonates);
        assert_eq!(explained.grants, BTreeSet::from([(None, Access::Read)]));
    }

    #[test]
    fn a_whole_scope_names_no_part_of_what_it_has_in_general() {
        let (catalog, scope) = (catalog(), Scope::parse("read tickets users:write").unwrap());
        let expected = [
            (None, Access::Read),
            (Some("tickets"), Access::Write),
            (Some("users"), Access::Write),
        ];
        assert_eq!(catalog.explain(&scope).grants, BTreeSet::from(expected));
    }

    proptest! {
        #[test]
        fn without_the_redundant_words_a_scope_allows_the_same(
            words in prop::collection::vec(
                "(read|write|unrestricted|impersonate|tickets|users(:read|:write)|auditlogs|reed)",
                1..8,
            ),
        ) {
            let (catalog, scope) = (catalog(), Scope::parse(&words.join(" ")).unwrap());
            let explained = catalog.explain(&scope);
            let needed = explained.words.iter().filter(|word| word.covered_by.is_empty());
            let needed = Scope::from_tokens(needed.map(|word| word.word.clone())).unwrap();
            for (resource, access) in RESOURCES.iter().flat_map(|resource| {
                Access::BOTH.map(|access| (*resource, access))
            }) {
                let need = Requirement { resource, access };
                let allowed = catalog.covers(&scope, need);
                prop_assert_eq!(catalog.covers(&needed, need), allowed, "{}", &scope);
                prop_assert_eq!(
                    is_covered(&(Some(resource), access), &explained.grants), allowed, "{}", scope
                );
            }
        }
    }
}
