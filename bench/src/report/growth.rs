//! How cost grows with the table, for `docs/scale.md`: one table for each engine.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::Result;

use super::{Comparison, Results, Surroundings, page::grouped};
use crate::{cases::Case, database::Engine};

/// The page.
pub(crate) const PATH: &str = "docs/scale.md";
/// Of the comparisons that are told.
const CONNECTIONS: usize = 16;

/// The marks around the results of an engine.
pub(super) const fn marks(engine: Engine) -> (&'static str, &'static str) {
    match engine {
        Engine::Sqlite => (
            "<!-- growth: written by `cargo xtask bench --write` -->\n",
            "<!-- end of growth -->\n",
        ),
        Engine::Postgres => (
            "<!-- growth: written by `cargo xtask bench --store postgres --write` -->\n",
            "<!-- end of growth on PostgreSQL -->\n",
        ),
    }
}

/// Processor time of an answer at each size, and what a token takes on disk.
pub(super) fn text(results: &Results) -> Result<String> {
    let Surroundings { machine, began_at, .. } = &results.surroundings;
    let told: Vec<&Comparison> =
        results.comparisons.iter().filter(|one| one.connections == CONNECTIONS).collect();
    let sizes: BTreeSet<u64> = told.iter().map(|one| one.tokens).collect();
    let mut text = format!(
        "\nMeasured at {began_at}, commit {}, on {machine}. CPU µs of an answer at {CONNECTIONS} \
         connections by tokens in the table, and the most of them over the least.\n\n| case |",
        results.commit
    );
    for size in &sizes {
        write!(text, " {} |", grouped(*size))?;
    }
    text.push_str(" most over least |\n|---|");
    text.push_str(&"---:|".repeat(sizes.len() + 1));
    text.push('\n');
    let mut seen: Vec<Case> = Vec::new();
    for case in told.iter().map(|one| one.case) {
        if seen.contains(&case) {
            continue;
        }
        seen.push(case);
        row(&mut text, case, &sizes, &told)?;
    }
    if !results.footprints.is_empty() {
        text.push_str("| bytes of the database for each token more |");
        for size in &sizes {
            let footprint = results.footprints.iter().find(|one| one.tokens == *size);
            let bytes = footprint.map(|one| format!("{:.0}", one.bytes_a_token));
            write!(text, " {} |", bytes.as_deref().unwrap_or("–"))?;
        }
        text.push_str(" |\n");
    }
    text.push('\n');
    Ok(text)
}

fn row(text: &mut String, case: Case, sizes: &BTreeSet<u64>, told: &[&Comparison]) -> Result<()> {
    write!(text, "| {} |", case.title())?;
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for size in sizes {
        let Some(one) = told.iter().find(|one| one.case == case && one.tokens == *size) else {
            text.push_str(" – |");
            continue;
        };
        let processor = one.tokenry.median.processor;
        (least, most) = (least.min(processor), most.max(processor));
        write!(text, " {processor:.1} |")?;
    }
    writeln!(text, " {:.2} |", most / least)?;
    Ok(())
}
