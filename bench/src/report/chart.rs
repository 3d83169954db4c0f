//! The chart of a page of results: what share of the references each case reaches, and how the
//! cost of an answer changes with the size of the table.

use std::fmt::Write as _;

use anyhow::Result;

use super::{Comparison, Results, page};
use crate::{cases::Case, database::Engine};

/// Where it is kept.
pub(crate) const fn path(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "docs/images/performance.svg",
        Engine::Postgres => "docs/images/performance-postgresql.svg",
    }
}

/// Connections of the comparisons that are drawn.
const CONNECTIONS: usize = 16;
const WIDTH: f64 = 860.0;
const LABELS: f64 = 240.0;
/// The width of a share of 1.
const WHOLE: f64 = 500.0;
const ROW: f64 = 26.0;
/// Drawn on whatever the page's background is.
const STYLE: &str = "<style>
text{font:13px system-ui,sans-serif;fill:#1f2328}.q{fill:#656d76;font-size:12px}
.h{font-weight:600}.b{fill:#0a66c2}.d{fill:#2f8f5b}.g{stroke:#d0d7de;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.q{fill:#8d96a0}
.b{fill:#58a6ff}.d{fill:#56d38b}.g{stroke:#30363d}}
</style>";

/// Draws it.
pub(super) fn draw(results: &Results) -> Result<String> {
    let of_16 = || results.comparisons.iter().filter(|one| one.connections == CONNECTIONS);
    let shown = of_16().map(|one| one.tokens).filter(|tokens| *tokens <= 1_000_000).max();
    let shown = shown.or_else(|| of_16().map(|one| one.tokens).max()).unwrap_or_default();
    let mut body = String::new();
    let mut y = 24.0;
    let title = format!(
        "Share of the reference's requests a second ({CONNECTIONS} connections, {} tokens)",
        page::grouped(shown)
    );
    writeln!(body, "<text class=\"h\" x=\"0\" y=\"{y}\">{title}</text>")?;
    let top = y + 12.0;
    y = top;
    for one in of_16().filter(|one| one.tokens == shown) {
        y = bars(&mut body, one, y)?;
    }
    grid(&mut body, top, y)?;
    y += 44.0;
    y = flatness(&mut body, results, y)?;
    let height = y + 12.0;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Tokenry as a share of the reference servers\">\n{STYLE}\n{body}</svg>\n"
    ))
}

/// A case: its share of the bare server, or of the durable one where answers wait for the disk.
fn bars(body: &mut String, one: &Comparison, y: f64) -> Result<f64> {
    let (class, reference, of) = match &one.durable {
        Some(durable) => ("d", durable, one.durable_name),
        None => ("b", &one.bare, "bare"),
    };
    let (share, _) = page::shares(one, reference);
    let (middle, length) = (y + ROW / 2.0 + 4.0, (share * WHOLE).min(WHOLE * 1.1));
    let (title, bar) = (one.case.title(), y + 4.0);
    writeln!(body, "<text x=\"0\" y=\"{middle}\">{title}</text>")?;
    writeln!(
        body,
        "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{bar}\" width=\"{length:.1}\" height=\"{}\" \
         rx=\"3\"/>",
        ROW - 8.0
    )?;
    let end = LABELS + length + 8.0;
    writeln!(body, "<text class=\"q\" x=\"{end:.1}\" y=\"{middle}\">{share:.2} of {of}</text>")?;
    Ok(y + ROW)
}

/// Lines at 0, a half and 1.
fn grid(body: &mut String, top: f64, bottom: f64) -> Result<()> {
    for share in [0.0, 0.5, 1.0] {
        let x = LABELS + share * WHOLE;
        writeln!(body, "<path class=\"g\" d=\"M{x} {top}V{bottom}\"/>")?;
        let label = bottom + 16.0;
        let text = format!("{share}");
        writeln!(
            body,
            "<text class=\"q\" x=\"{x}\" y=\"{label}\" text-anchor=\"middle\">{text}</text>"
        )?;
    }
    Ok(())
}

/// Processor time for an answer at each size, the smallest size being 1.
fn flatness(body: &mut String, results: &Results, mut y: f64) -> Result<f64> {
    let of = |case: Case| {
        let all = results.comparisons.iter();
        all.filter(move |one| one.case == case && one.connections == CONNECTIONS)
    };
    let mut sizes: Vec<u64> = results.comparisons.iter().map(|one| one.tokens).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() < 2 {
        return Ok(y - ROW);
    }
    writeln!(
        body,
        "<text class=\"h\" x=\"0\" y=\"{y}\">Processor time of an answer by tokens in the table, \
         the smallest table = 1</text>"
    )?;
    y += ROW;
    #[expect(clippy::cast_precision_loss, reason = "four sizes")]
    let column = |index: usize| LABELS + 60.0 + 140.0 * index as f64;
    for (index, size) in sizes.iter().enumerate() {
        let (x, size) = (column(index), page::grouped(*size));
        writeln!(
            body,
            "<text class=\"q\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{size}</text>"
        )?;
    }
    let mut seen: Vec<Case> = Vec::new();
    for case in results.comparisons.iter().map(|one| one.case) {
        let Some(first) = of(case).next().filter(|_| !seen.contains(&case)) else { continue };
        seen.push(case);
        y += 22.0;
        writeln!(body, "<text x=\"0\" y=\"{y}\">{}</text>", case.title())?;
        for one in of(case) {
            let index = sizes.iter().position(|size| *size == one.tokens).unwrap_or_default();
            let change = one.tokenry.median.processor / first.tokenry.median.processor;
            let x = column(index);
            writeln!(body, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{change:.2}</text>")?;
        }
    }
    Ok(y)
}
