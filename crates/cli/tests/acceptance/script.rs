//! Running one script: its set-up in a file, its environment as installed, its outcome.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::record_api::create_client;
use crate::server::Server;
use crate::twin::Twin;

/// What a script is written in.
#[derive(Clone, Copy)]
pub(crate) enum Language {
    Python,
    Node,
}

/// Runs a script of `acceptance/python` in the environment that was made for it.
pub(crate) fn python(name: &str, server: Server) {
    run(command(Language::Python, name), server);
}

/// Runs one whose environment, and nothing else, leads it to a twin. It is none in which https is
/// not insisted on.
pub(crate) fn python_at(name: &str, twin: &Twin) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(Language::Python, name);
    command.envs(twin.variables().filter(|(name, _)| !name.ends_with("INSECURE_TRANSPORT")));
    carry_out(command, folder.path(), &json!({ "base": twin.base() })).unwrap();
}

/// Runs a script of `acceptance/node` beside the packages that were installed for it.
pub(crate) fn node(name: &str, server: Server) {
    run(command(Language::Node, name), server);
}

/// Runs a script of `acceptance/node` that needs a browser and an address to look at.
pub(crate) fn browse(name: &str, base: &str) {
    let folder = tempfile::tempdir().unwrap();
    let set_up = in_a_browser(json!({ "base": base }));
    carry_out(command(Language::Node, name), folder.path(), &set_up).unwrap();
}

/// What runs a script, without its set-up.
pub(crate) fn command(language: Language, name: &str) -> Command {
    match language {
        Language::Python => {
            let mut command = Command::new(installed("python").join("bin/python"));
            // Nothing is written beside the scripts.
            command.arg("-B").arg(scripts("python").join(name));
            command
        }
        Language::Node => {
            let mut command = Command::new("node");
            command.arg(node_scripts().join(name));
            command
        }
    }
}

/// Ends with a clean stop of the server, once the script has ended well.
fn run(command: Command, server: Server) {
    let outcome = carry_out(command, server.folder(), &set_up(&server));
    outcome.unwrap_or_else(|told| panic!("{told}\n{}", server.log()));
    server.stop();
}

/// The error is what the script said.
fn carry_out(mut command: Command, folder: &Path, set_up: &Value) -> Result<(), String> {
    let setup = folder.join("setup.json");
    fs::write(&setup, set_up.to_string()).unwrap();
    let output = command.arg(&setup).output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}\nTo install what it needs: cargo xtask test --only acceptance")
    });
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{command:?}\n{told}{complained}");
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}\n{told}{complained}", output.status))
}

/// With the browser that is here, and where its pictures go.
fn in_a_browser(mut set_up: Value) -> Value {
    set_up["chromium"] = json!(chromium());
    set_up["screenshots"] = json!(target().join("acceptance/screenshots"));
    set_up
}

/// An administrator, an end user and a client of each kind.
fn set_up(server: &Server) -> Value {
    let mut user = server.create_user("grace@acme.test", "Grace Okafor", "end-user");
    user["name"] = json!("Grace Okafor");
    // Every character that an identifier may hold besides letters and digits: clients that encode
    // both halves of HTTP Basic encode these, and the server has to decode them.
    let confidential = json!({
        "identifier": "acme.reports-2_~",
        "name": "Acme Reports",
        "company": "Acme Ltd",
        "description": "Weekly figures, drawn from your tickets.",
        "kind": "confidential",
        "redirect_uri": ["http://127.0.0.1/callback"],
    });
    let public = json!({
        "identifier": "acme_desktop",
        "name": "Acme Desktop",
        "company": "Acme Ltd",
        "description": "Your tickets, on your own machine.",
        "kind": "public",
        "redirect_uri": ["http://127.0.0.1/callback"],
    });
    in_a_browser(json!({
        "base": server.base,
        "admin": server.admin,
        "user": user,
        "confidential": create_client(server, &confidential),
        "public": create_client(server, &public),
    }))
}

/// Cargo's target folder, where `cargo xtask test` installs the clients.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

fn installed(kind: &str) -> PathBuf {
    target().join("acceptance").join(kind)
}

fn scripts(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../acceptance").join(kind)
}

/// Node.js looks for packages above the script, so the scripts go where the packages are.
fn node_scripts() -> &'static Path {
    static COPIED: OnceLock<PathBuf> = OnceLock::new();
    COPIED.get_or_init(|| {
        let folder = installed("node");
        for entry in fs::read_dir(scripts("node")).unwrap() {
            let source = entry.unwrap().path();
            if source.extension().is_some_and(|extension| extension == "mjs") {
                fs::copy(&source, folder.join(source.file_name().unwrap())).unwrap();
            }
        }
        folder
    })
}

/// `CHROMIUM` where it is set, else the first one on `PATH`.
fn chromium() -> Option<PathBuf> {
    let given = env::var_os("CHROMIUM").map(PathBuf::from);
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let on_path = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    given.or_else(|| on_path.into_iter().find(|candidate| candidate.is_file()))
}
