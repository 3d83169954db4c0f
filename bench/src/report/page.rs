//! The results on an engine's page, between two marks; what stands around them was written by hand.

use std::{fmt::Write as _, fs};

use anyhow::{Context as _, Result};

use super::{Comparison, Results, Surroundings, chart, database, growth, twin};
use crate::{database::Engine, footprint::Footprint, measure::Pattern, measure::Series};

/// The page.
pub(crate) const fn path(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "docs/performance.md",
        Engine::Postgres => "docs/performance-postgresql.md",
    }
}

/// The marks around the results.
const fn marks(engine: Engine) -> (&'static str, &'static str) {
    let begin = match engine {
        Engine::Sqlite => "<!-- results: written by `cargo xtask bench --write` -->\n",
        Engine::Postgres => {
            "<!-- results: written by `cargo xtask bench --store postgres --write` -->\n"
        }
    };
    (begin, "<!-- end of results -->\n")
}

/// Replaces the results on the engine's pages, and the chart.
pub(crate) fn write(results: &Results, pattern: &Pattern) -> Result<()> {
    let engine = results.surroundings.engine;
    let path = path(engine);
    replace(path, marks(engine), &results_text(results, pattern)?)?;
    replace(growth::PATH, growth::marks(engine), &growth::text(results)?)?;
    Ok(fs::write(chart::path(engine), chart::draw(results)?)?)
}

/// Replaces what the page says of the twin.
pub(crate) fn write_twin(results: &Results, pattern: &Pattern) -> Result<()> {
    let text = twin::text(results, pattern)?;
    replace(path(results.surroundings.engine), twin::MARKS, &text)
}

/// What stands between two marks of a page.
fn replace(path: &str, marks: (&str, &str), results: &str) -> Result<()> {
    let page = fs::read_to_string(path).context(path.to_owned())?;
    let text = page_with(&page, marks, results).context(path.to_owned())?;
    Ok(fs::write(path, text)?)
}

fn page_with(page: &str, (begin, end): (&str, &str), results: &str) -> Result<String> {
    let (before, rest) = page.split_once(begin).context("the page has no place for results")?;
    let (_, after) = rest.split_once(end).context("the place for results has no end")?;
    Ok(format!("{before}{begin}{results}{end}{after}"))
}

fn results_text(results: &Results, pattern: &Pattern) -> Result<String> {
    let Surroundings { machine, cores, database, began_at, engine } = &results.surroundings;
    let (durable, database) = (engine.durable(), database.as_deref().unwrap_or_default());
    let mut text = format!(
        "\nMeasured at {began_at}, commit {}, on {machine}; {cores}{}{database}. {} rounds of \
         {:.0} s each; medians.\n\n\
         ![Tokenry as a share of what a server can do]({})\n\n### Throughput\n\n\
         | case | tokens | connections | requests/s | p50 ms | p99 ms | CPU µs | of bare | by CPU \
         | of {durable} | by CPU | spread |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        results.commit,
        if database.is_empty() { "" } else { "; " },
        pattern.rounds,
        pattern.measure.as_secs_f64(),
        chart::path(*engine).trim_start_matches("docs/"),
    );
    for comparison in &results.comparisons {
        row(&mut text, comparison)?;
    }
    write!(
        text,
        "\n### The references in the same turns\n\n\
         | case | tokens | connections | answer bytes | bare/s | p99 ms | CPU µs | {durable}/s \
         | p99 ms | CPU µs |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    )?;
    for comparison in &results.comparisons {
        references(&mut text, comparison)?;
    }
    database::shares(&mut text, results)?;
    database::nodes(&mut text, results)?;
    by_themselves(&mut text, results)?;
    text.push('\n');
    Ok(text)
}

/// By requests a second, and by processor time for each.
pub(super) fn shares(comparison: &Comparison, other: &Series) -> (f64, f64) {
    let (own, other) = (&comparison.tokenry.median, &other.median);
    (own.per_second / other.per_second, other.processor / own.processor)
}

fn row(text: &mut String, comparison: &Comparison) -> Result<()> {
    let own = &comparison.tokenry.median;
    let (of_bare, by_processor) = shares(comparison, &comparison.bare);
    let durable = comparison.durable.as_ref().map_or_else(
        || "– | –".to_owned(),
        |durable| {
            let (share, by_processor) = shares(comparison, durable);
            format!("{share:.2} | {by_processor:.2}")
        },
    );
    writeln!(
        text,
        "| {} | {} | {} | {} | {:.2} | {:.2} | {:.1} | {of_bare:.2} | {by_processor:.2} \
         | {durable} | {:.2} |",
        comparison.case.title(),
        grouped(comparison.tokens),
        comparison.connections,
        rounded(own.per_second),
        own.p50,
        own.p99,
        own.processor,
        comparison.tokenry.spread.max(comparison.bare.spread),
    )?;
    Ok(())
}

fn references(text: &mut String, comparison: &Comparison) -> Result<()> {
    let of = |series: &Series| {
        let figures = &series.median;
        let speed = rounded(figures.per_second);
        format!("{speed} | {:.2} | {:.1}", figures.p99, figures.processor)
    };
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {} |",
        comparison.case.title(),
        grouped(comparison.tokens),
        comparison.connections,
        grouped(u64::try_from(comparison.answer_bytes)?),
        of(&comparison.bare),
        comparison.durable.as_ref().map_or_else(|| "– | – | –".to_owned(), of),
    )?;
    Ok(())
}

/// What was not measured in turns.
fn by_themselves(text: &mut String, results: &Results) -> Result<()> {
    text.push_str(
        "\n### Verification at half load, while tokens are issued and purged\n\n\
         | tokens | verifications/s | p50 ms | p99 ms | issued/s | their p99 ms | purged |\n\
         |---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for one in &results.under_writes {
        writeln!(
            text,
            "| {} | {} | {:.3} | {:.3} | {} | {:.2} | {} |",
            grouped(one.tokens),
            rounded(one.per_second),
            one.p50,
            one.p99,
            rounded(one.issued),
            one.issued_p99,
            grouped(one.purged)
        )?;
    }
    text.push_str(
        "\n### Start, memory, disk\n\n\
         | tokens | ms to first answer | ms to first token | first start, ms to first answer |\n\
         |---:|---:|---:|---:|\n",
    );
    for one in &results.starts {
        let tokens = grouped(one.tokens);
        let (answer, token, first) = (one.to_answer, one.to_token, one.first_to_answer);
        writeln!(text, "| {tokens} | {answer:.1} | {token:.1} | {first:.1} |")?;
    }
    text.push_str(
        "\n| tokens | MiB idle | tokens issued then | MiB after that | bytes on disk for each \
         | bytes for each of the table |\n|---:|---:|---:|---:|---:|---:|\n",
    );
    for one in &results.footprints {
        footprint(text, one)?;
    }
    database::footprints(text, results)?;
    if let Some(one) = results.footprints.first() {
        writeln!(text, "\nThe binary has {:.1} MB.", megabytes(one.binary, 1e6))?;
    }
    Ok(())
}

fn footprint(text: &mut String, one: &Footprint) -> Result<()> {
    writeln!(
        text,
        "| {} | {:.1} | {} | {:.1} | {:.0} | {:.0} |",
        grouped(one.tokens),
        megabytes(one.idle, 1_048_576.0),
        grouped(one.issued),
        megabytes(one.after, 1_048_576.0),
        one.bytes_a_token,
        one.bytes_a_kept_token
    )?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a few gigabytes")]
pub(super) fn megabytes(bytes: u64, unit: f64) -> f64 {
    bytes as f64 / unit
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few hundred thousand"
)]
pub(super) fn rounded(value: f64) -> String {
    grouped(value.round() as u64)
}

/// With a comma between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn only_what_lies_between_the_marks_is_replaced() {
        for engine in Engine::value_variants() {
            let (begin, end) = marks(*engine);
            let page = format!("# A\n{begin}old\n{end}\nB\n");
            let written = page_with(&page, (begin, end), "new\n").unwrap();
            assert_eq!(written, format!("# A\n{begin}new\n{end}\nB\n"));
            assert!(page_with("# A\n", (begin, end), "new\n").is_err());
        }
    }

    #[test]
    fn every_engine_has_its_place_on_its_pages() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for engine in Engine::value_variants() {
            for (path, marks) in
                [(path(*engine), marks(*engine)), (growth::PATH, growth::marks(*engine))]
            {
                let page = fs::read_to_string(root.join(path)).unwrap();
                assert!(page_with(&page, marks, "").is_ok(), "{path}");
            }
        }
    }

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
