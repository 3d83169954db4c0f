//! Pages whose commands are run: what a reader types works, and prints what the page shows.
//!
//! Blocks marked `sh` are run in order by one `bash -eu` in an empty folder, with today's binary as
//! `tokenry`. Where a block marked `text` follows, it is what the block before it prints, standard
//! error included; times and widths of columns may differ.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use crate::process::TOKENRY;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
/// Ends what a block prints.
const MARK: &str = "── end of block ";

/// Commands, with what they print where the page shows it.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Where it begins.
    line: usize,
    commands: String,
    shown: Option<String>,
}

/// The text of a page.
pub(crate) fn page(name: &str) -> String {
    fs::read_to_string(Path::new(PAGES).join(name)).unwrap()
}

/// A file that a page has its reader write: `cat > NAME <<'END'`.
pub(crate) fn file(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("cat > {name} <<'END'\n")).unwrap();
    rest.split_once("\nEND\n").unwrap().0.to_owned()
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines().enumerate();
    // Prose between a block and a text makes that text somebody else's.
    let mut is_next = false;
    while let Some((at, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            is_next &= line.is_empty();
            continue;
        };
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let body: Vec<&str> = body.collect();
        let body = body.join("\n");
        match kind {
            "sh" => blocks.push(Block { line: at + 1, commands: body, shown: None }),
            "text" if is_next => blocks.last_mut().unwrap().shown = Some(body),
            _ => {}
        }
        is_next = kind == "sh";
    }
    blocks
}

/// Without what differs from run to run: spaces, spans such as `0.1 s`, and ports.
fn steady(text: &str) -> String {
    let steady_word = |word: &str| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let is_time = word.split_once('.').is_some_and(|(one, two)| digits(one) && digits(two));
        let is_local = word.starts_with("http://127.0.0.1:");
        if is_time || is_local { "~".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split_whitespace().map(steady_word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Runs a page: what each block printed, as far as it came, and whether it came to its end.
fn run(blocks: &[Block]) -> (Vec<String>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let (script, output) = (folder.path().join("script"), folder.path().join("output"));
    let commands: Vec<String> =
        blocks.iter().map(|block| format!("{}\necho '{MARK}'\n", block.commands)).collect();
    fs::write(&script, commands.concat()).unwrap();
    let (bin, work) = (folder.path().join("bin"), folder.path().join("work"));
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&work).unwrap();
    std::os::unix::fs::symlink(TOKENRY, bin.join("tokenry")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let written = File::create(&output).unwrap();
    let mut shell = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        if ["TOKENRY_", "ZENDESK_"].iter().any(|it| name.to_string_lossy().starts_with(it)) {
            shell.env_remove(name);
        }
    }
    shell
        .args(["-eu", "-o", "pipefail"])
        .arg(&script)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("HOME", folder.path())
        .current_dir(&work)
        .stdin(Stdio::null())
        .stdout(written.try_clone().unwrap())
        .stderr(written);
    let is_done = shell.status().unwrap().success();
    let printed = fs::read_to_string(&output).unwrap();
    let printed = printed.split(&format!("{MARK}\n")).map(str::to_owned).collect();
    (printed, is_done)
}

#[track_caller]
fn holds(name: &str) {
    let blocks = blocks(&page(name));
    let (printed, is_done) = run(&blocks);
    for (block, printed) in blocks.iter().zip(&printed) {
        if let Some(shown) = &block.shown {
            let line = block.line;
            assert_eq!(steady(printed), steady(shown), "docs/{name}, line {line}: {printed}");
        }
    }
    let last = printed.len().min(blocks.len()) - 1;
    assert!(is_done, "docs/{name}, line {}: {}", blocks[last].line, printed[last]);
}

#[test]
fn each_step_of_the_migration_works_and_prints_what_the_page_shows() {
    holds("migrate.md");
}

#[test]
fn a_block_has_the_text_that_follows_it_at_once() {
    let page = "```sh\none\ntwo\n```\n\n```text\nout\n```\n\n```sh\nthree\n```\nProse.\n\
        ```text\nno\n\
                ```\n```toml\nx\n```\n";
    let block = |line, commands: &str, shown: Option<&str>| Block {
        line,
        commands: commands.to_owned(),
        shown: shown.map(str::to_owned),
    };
    assert_eq!(blocks(page), [block(1, "one\ntwo", Some("out")), block(10, "three", None)]);
}

#[test]
fn a_page_that_fails_in_the_middle_is_noticed() {
    let page = "```sh\necho one\n```\n```sh\nfalse\n```\n```sh\necho three\n```\n";
    let (printed, is_done) = run(&blocks(page));
    assert_eq!((printed, is_done), (vec!["one\n".to_owned(), String::new()], false));
}
