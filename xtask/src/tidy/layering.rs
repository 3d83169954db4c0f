//! Layering: which crate may depend on which, and what the inner ones must never see.
//!
//! Each arrow is declared here, in the order of ARCHITECTURE.md. cargo-deny guards the same edges
//! for the packages that come from outside (deny.toml).

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Finding;

struct Layer {
    package: &'static str,
    /// The members it may depend on.
    may_use: &'static [&'static str],
    /// The outside packages it must not depend on.
    must_not_use: &'static [&'static str],
}

/// I/O, the network, SQL and the async runtime: not for the words and the decisions.
const OUTSIDE_WORLD: &[&str] = &[
    "async-trait",
    "axum",
    "getrandom",
    "hyper",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio-postgres",
    "tower",
    "tracing-subscriber",
    "ureq",
];

const LAYERS: [Layer; 14] = [
    Layer { package: "tokenry-protocol", may_use: &[], must_not_use: OUTSIDE_WORLD },
    Layer { package: "tokenry-core", may_use: &["tokenry-protocol"], must_not_use: OUTSIDE_WORLD },
    Layer {
        package: "tokenry-store",
        may_use: &["tokenry-core", "tokenry-protocol", "tokenry-postgres-testing"],
        must_not_use: &["axum", "http", "hyper", "reqwest", "tower", "ureq"],
    },
    Layer {
        package: "tokenry-server",
        may_use: &["tokenry-store", "tokenry-core", "tokenry-protocol", "tokenry-postgres-testing"],
        must_not_use: &["rusqlite", "tokio-postgres"],
    },
    Layer {
        package: "tokenry-twin",
        may_use: &[
            "tokenry-server",
            "tokenry-store",
            "tokenry-core",
            "tokenry-protocol",
            "tokenry-memory-testing",
        ],
        must_not_use: &["rusqlite", "tokio-postgres"],
    },
    // The server is there for the tests alone; a dependency on it would be a circle of releases.
    Layer {
        package: "tokenry-client",
        may_use: &["tokenry-protocol", "tokenry-core", "tokenry-server"],
        must_not_use: &["axum", "hyper", "rusqlite", "tokio-postgres", "tower", "ureq"],
    },
    Layer {
        package: "tokenry-cli",
        may_use: &[
            "tokenry-client",
            "tokenry-twin",
            "tokenry-server",
            "tokenry-store",
            "tokenry-core",
            "tokenry-protocol",
            "tokenry-faults",
            "tokenry-postgres-testing",
        ],
        must_not_use: &["axum", "rusqlite", "tokio-postgres"],
    },
    // The database server that tests start.
    Layer {
        package: "tokenry-postgres-testing",
        may_use: &[],
        must_not_use: &["tokio", "tokio-postgres"],
    },
    // What tests of leaks ask how much memory is in use, with `unsafe`.
    Layer { package: "tokenry-memory-testing", may_use: &[], must_not_use: OUTSIDE_WORLD },
    // Not shipped: it measures the client beside bare reqwest, and counts with `unsafe`.
    Layer {
        package: "tokenry-sdk-cost",
        may_use: &["tokenry-client", "tokenry-server", "tokenry-core"],
        must_not_use: &["axum", "hyper", "rusqlite", "tokio-postgres", "tower", "ureq"],
    },
    // What tests preload into the binary.
    Layer { package: "tokenry-faults", may_use: &[], must_not_use: OUTSIDE_WORLD },
    Layer {
        package: "tokenry-soak",
        may_use: &[
            "tokenry-server",
            "tokenry-store",
            "tokenry-core",
            "tokenry-protocol",
            "tokenry-postgres-testing",
        ],
        must_not_use: &["rusqlite", "tokio-postgres"],
    },
    // Not shipped: it measures the binary beside servers that have nothing of ours in them.
    Layer {
        package: "tokenry-bench",
        may_use: &[
            "tokenry-server",
            "tokenry-store",
            "tokenry-core",
            "tokenry-protocol",
            "tokenry-postgres-testing",
        ],
        must_not_use: &[],
    },
    Layer { package: "xtask", may_use: &["tokenry-postgres-testing"], must_not_use: &[] },
];

/// `metadata` is what `cargo metadata --no-deps` prints.
pub(super) fn check(metadata: &Value) -> Result<Vec<Finding>> {
    let packages = metadata.get("packages").and_then(Value::as_array);
    let packages = packages.context("cargo metadata names no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        findings.extend(check_package(package)?);
    }
    Ok(findings)
}

fn check_package(package: &Value) -> Result<Vec<Finding>> {
    let name = text(package, "name")?;
    let manifest = format!("Cargo.toml of {name}");
    let Some(layer) = LAYERS.iter().find(|layer| layer.package == name) else {
        let message = "a new crate: declare its layer in xtask/src/tidy/layering.rs";
        return Ok(vec![Finding::of_file(manifest.as_ref(), message)]);
    };
    let dependencies = package.get("dependencies").and_then(Value::as_array);
    let mut findings = Vec::new();
    for dependency in dependencies.context("a package without dependencies")? {
        let used = text(dependency, "name")?;
        // A path and not a version: one of ours, or the crate itself with a feature for its tests.
        let is_member = dependency.get("path").is_some_and(Value::is_string) && used != name;
        if is_member && !layer.may_use.contains(&used) {
            let message = format!("{name} may not depend on {used}: see ARCHITECTURE.md");
            findings.push(Finding::of_file(manifest.as_ref(), message));
        }
        if layer.must_not_use.contains(&used) {
            let message = format!("{name} may not see {used}: do it in an outer layer");
            findings.push(Finding::of_file(manifest.as_ref(), message));
        }
    }
    Ok(findings)
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).with_context(|| format!("no {name} in {value}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;
    use serde_json::json;

    fn findings(package: &str, dependencies: &Value) -> Vec<String> {
        let metadata = json!({"packages": [{"name": package, "dependencies": dependencies}]});
        told(&check(&metadata).unwrap())
    }

    #[test]
    fn declared_arrows_pass() {
        let inner = json!([{"name": "tokenry-protocol", "path": "p"}, {"name": "sha2"}]);
        assert!(findings("tokenry-core", &inner).is_empty());
        let itself = json!([{"name": "tokenry-store", "path": "."}]);
        assert!(findings("tokenry-store", &itself).is_empty());
    }

    #[test]
    fn an_arrow_that_points_outward_is_refused() {
        let outward = json!([{"name": "tokenry-core", "path": "c"}]);
        assert_eq!(findings("tokenry-protocol", &outward).len(), 1);
        let outward = json!([{"name": "tokenry-server", "path": "s"}]);
        assert_eq!(findings("tokenry-store", &outward).len(), 1);
    }

    #[test]
    fn the_pure_crates_see_no_runtime_no_network_and_no_database() {
        for outside in ["tokio", "axum", "rusqlite"] {
            let dependency = json!([{"name": outside}]);
            assert_eq!(findings("tokenry-core", &dependency).len(), 1, "{outside}");
            assert_eq!(findings("tokenry-protocol", &dependency).len(), 1, "{outside}");
        }
        assert_eq!(findings("tokenry-store", &json!([{"name": "axum"}])).len(), 1);
        assert!(findings("tokenry-store", &json!([{"name": "rusqlite"}])).is_empty());
    }

    #[test]
    fn a_crate_nobody_declared_is_asked_for_its_layer() {
        assert_eq!(findings("tokenry-newcomer", &json!([])).len(), 1);
    }
}
