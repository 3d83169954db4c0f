//! The name somebody meant.

/// Below this likeness (0 to 1) a name is no help.
const LIKENESS_MIN: f64 = 0.6;
/// A right name in the wrong section counts a little less than the right name.
const MISPLACED: f64 = 0.95;

/// The candidate most like `written`, compared whole and by the part after the last dot.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let likeness = |candidate: &str| {
        let whole = strsim::normalized_damerau_levenshtein(written, candidate);
        let named = strsim::normalized_damerau_levenshtein(last(written), last(candidate));
        whole.max(named * MISPLACED)
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

fn last(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, name)| name)
}
