//! What is told of a database that is a server of its own; of an embedded one, nothing.

use std::fmt::Write as _;

use anyhow::Result;

use super::{
    Results,
    page::{grouped, megabytes, rounded},
};
use crate::measure::Figures;

/// Whose the processor time of an answer is, and what the database wrote for it.
pub(super) fn shares(text: &mut String, results: &Results) -> Result<()> {
    let of = |figures: &Figures| {
        let database = figures.database?;
        Some(format!("{:.1} | {database:.1}", figures.processor - database))
    };
    let mut rows = String::new();
    for comparison in &results.comparisons {
        let own = &comparison.tokenry.median;
        let Some(shares) = of(own) else { continue };
        let log = own.log_bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{bytes:.0}"));
        let durable = comparison.durable.as_ref().and_then(|durable| of(&durable.median));
        writeln!(
            rows,
            "| {} | {} | {} | {shares} | {log} | {} |",
            comparison.case.title(),
            grouped(comparison.tokens),
            comparison.connections,
            durable.unwrap_or_else(|| "– | –".to_owned()),
        )?;
    }
    if !rows.is_empty() {
        text.push_str(
            "\n### Tokenry's part and PostgreSQL's\n\nCPU µs for each answer, and bytes of log \
             (WAL) that PostgreSQL wrote for it.\n\n\
             | case | tokens | connections | Tokenry | its PostgreSQL | WAL bytes | pgbench \
             | its PostgreSQL |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        text.push_str(&rows);
    }
    Ok(())
}

/// One, two and three of them.
pub(super) fn nodes(text: &mut String, results: &Results) -> Result<()> {
    if results.nodes.is_empty() {
        return Ok(());
    }
    text.push_str(
        "\n### Several nodes\n\nAll of them and PostgreSQL on one core, 16 connections to each.\n\n\
         | case | tokens | nodes | requests/s of all | of the slowest | CPU µs | of it PostgreSQL \
         | CPU to one node's |\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for one in &results.nodes {
        for load in &one.loads {
            let of_one = results.nodes.iter().find(|of| of.tokens == one.tokens && of.nodes == 1);
            let of_one = of_one.and_then(|of| of.loads.iter().find(|of| of.case == load.case));
            let times = of_one.map_or(f64::NAN, |of_one| load.processor / of_one.processor);
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.1} | {:.1} | {times:.2} |",
                load.case.title(),
                grouped(one.tokens),
                one.nodes,
                rounded(load.per_second),
                rounded(load.of_slowest),
                load.processor,
                load.database,
            )?;
        }
    }
    text.push_str(
        "\nWhat nodes cost that are asked nothing, in percent of a core, and how late a revocation \
         at the first is known at the last, with half of those verifications and 1,000 tokens \
         issued a second beside it.\n\n\
         | tokens | nodes | % each node | % PostgreSQL | revocations | median ms | 99 % ms \
         | at most ms |\n|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for one in &results.nodes {
        let delays = one.delays.map_or_else(
            || "– | – | – | –".to_owned(),
            |delays| {
                let count = grouped(delays.revocations);
                format!("{count} | {:.1} | {:.1} | {:.1}", delays.p50, delays.p99, delays.most)
            },
        );
        writeln!(
            text,
            "| {} | {} | {:.2} | {:.2} | {delays} |",
            grouped(one.tokens),
            one.nodes,
            one.idle_node,
            one.idle_database,
        )?;
    }
    Ok(())
}

/// Memory, table, indexes and log.
pub(super) fn footprints(text: &mut String, results: &Results) -> Result<()> {
    let mut rows = String::new();
    for one in &results.footprints {
        let Some(database) = &one.database else { continue };
        writeln!(
            rows,
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
            grouped(one.tokens),
            megabytes(database.idle, 1_048_576.0),
            megabytes(database.after, 1_048_576.0),
            database.table_bytes,
            database.index_bytes,
            database.log_bytes,
        )?;
    }
    if !rows.is_empty() {
        text.push_str(
            "\nPostgreSQL's own: memory of all its processes (PSS), and bytes for each token that \
             was issued.\n\n\
             | tokens | MiB idle | MiB after that | table | its indexes | WAL |\n\
             |---:|---:|---:|---:|---:|---:|\n",
        );
        text.push_str(&rows);
    }
    Ok(())
}
