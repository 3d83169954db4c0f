//! `scope`: the grammar of RFC 6749 §3.3 as the record API narrows it, and that no scope reaches
//! past its ceiling.

use std::collections::BTreeSet;

use tokenry_protocol::scope::{
    Access, InvalidScope, LENGTH_MAX, Requirement, Scope, ScopeCatalog, ScopeToken, TOKENS_MAX,
};

/// The first line is asked for, the second is the ceiling.
pub(super) fn run(data: &[u8]) {
    let Some(text) = super::text(data) else { return };
    let (asked, ceiling) = text.split_once('\n').unwrap_or((text, "read tickets:write"));
    let read = Scope::parse(asked);
    check_grammar(asked, &read);
    let Ok(scope) = read else { return };
    let printed = scope.to_string();
    assert_eq!(Scope::parse(&printed).as_ref(), Ok(&scope));
    assert!(printed.len() <= LENGTH_MAX);
    if let Ok(ceiling) = Scope::parse(ceiling) {
        check_ceiling(&scope, &ceiling);
    }
    if let Ok(catalog) = ScopeCatalog::new(scope.tokens().iter().map(ScopeToken::as_str)) {
        let names = catalog.names();
        let names = names.iter().map(|name| ScopeToken::parse(name).unwrap());
        assert!(names.into_iter().all(|name| catalog.knows(&name)));
        assert!(catalog.unknown(&scope).is_empty());
    }
}

fn check_grammar(text: &str, read: &Result<Scope, InvalidScope>) {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let unique: BTreeSet<&str> = words.iter().copied().collect();
    let fits = text.len() <= LENGTH_MAX && unique.len() <= TOKENS_MAX;
    let expected = fits && !words.is_empty() && words.iter().all(|word| is_token(word));
    assert_eq!(read.is_ok(), expected, "{read:?}");
    if let Ok(scope) = read {
        let kept: Vec<&str> = scope.tokens().iter().map(ScopeToken::as_str).collect();
        let mut seen = BTreeSet::new();
        let first: Vec<&str> = words.into_iter().filter(|word| seen.insert(*word)).collect();
        assert_eq!(kept, first, "each once, in the order of asking");
    }
}

fn is_token(word: &str) -> bool {
    let (name, access) = word.split_once(':').unwrap_or((word, "read"));
    let is_plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.' | '-');
    let general = word.contains(':') && ["read", "write"].contains(&name);
    (1..=100).contains(&name.len())
        && name.chars().all(is_plain)
        && ["read", "write"].contains(&access)
        && !general
}

/// Whatever a scope within its ceiling lets somebody do, the ceiling lets them do.
fn check_ceiling(scope: &Scope, ceiling: &Scope) {
    let catalog = ScopeCatalog::new(["oauth", "users:read", "tickets"]).unwrap();
    check_explanation(scope, &catalog);
    assert!(scope.beyond(scope, &catalog).is_empty());
    let within = scope.within(ceiling, &catalog);
    let beyond = scope.beyond(ceiling, &catalog).len();
    let kept = within.as_ref().map_or(0, |within| within.tokens().len());
    assert_eq!(kept + beyond, scope.tokens().len());
    let Some(within) = within else { return };
    assert!(within.beyond(ceiling, &catalog).is_empty());
    for resource in ["oauth", "users", "tickets", "unknown"] {
        for access in [Access::Read, Access::Write] {
            let need = Requirement { resource, access };
            let covers = |scope: &Scope| catalog.covers(scope, need);
            assert!(!covers(&within) || (covers(scope) && covers(ceiling)), "{need:?}");
        }
    }
}

/// The words that are said to be needed allow all that the scope does.
fn check_explanation(scope: &Scope, catalog: &ScopeCatalog) {
    let explained = catalog.explain(scope);
    let needed = explained.words.iter().filter(|word| word.covered_by.is_empty());
    let needed = Scope::from_tokens(needed.map(|word| word.word.clone())).unwrap();
    for resource in ["oauth", "users", "tickets", "unknown"] {
        for access in [Access::Read, Access::Write] {
            let need = Requirement { resource, access };
            assert_eq!(catalog.covers(&needed, need), catalog.covers(scope, need), "{need:?}");
        }
    }
}
