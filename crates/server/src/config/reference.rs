//! The reference of every setting, made from their declarations.

use std::fmt::Write as _;

use super::{
    Config, Mode,
    kinds::{Reach, Shown},
    section::Section,
    setting::{Group, Setting, environment_name},
};

const INTRODUCTION: &str = r#"# Configuration

<!-- Generated from the declarations in crates/server/src/config. Do not edit. -->

Every setting has a default, and a server without any configuration runs on loopback. Settings
come from, each over the one before:

1. the defaults below: those of a server in real use and, where it has others, those of a twin, the
   local double of Zendesk;
2. one TOML file, named by `--config FILE` or by `TOKENRY_CONFIG`;
3. environment variables: `TOKENRY_`, then the setting's name in capitals, dots as underscores. An
   empty variable counts as not set;
4. command-line flags.

`tokenry check-config` prints every value that is in force with where it came from, or everything
that is wrong. A name that is no setting is refused, in the file and in `TOKENRY_…` variables, with
the nearest name that is one. (Not refused are variables of clients, `TOKENRY_CLIENT_…`, and those
that Kubernetes and Docker make for a service called `tokenry`: `TOKENRY_PORT…`,
`TOKENRY_SERVICE_HOST…`, `TOKENRY_SERVICE_PORT…`.)

- A *duration* is a whole number of seconds, or text with a unit: `90`, `"90s"`, `"30m"`, `"12h"`,
  `"30d"`.
- A *size* is a whole number of bytes, or text with a unit: `65536`, `"64KiB"`, `"16MiB"`, `"1GiB"`.
- *true or false* can also be written `"on"` and `"off"`, as is usual in environment variables.
- `"none"` (or `"off"`) unsets what may be unset, over a file that sets it.
"#;

const EXAMPLE_WIDTH: usize = 98;

/// Every setting with its environment variable, type, default, bounds and meaning, and an example
/// file, as Markdown.
pub fn reference_markdown() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (group, twin) in groups() {
        text.push_str(&section_markdown(&group, &twin));
    }
    text.push_str(
        "\n## Example file\n\nEverything at its default. Uncomment what you change.\n\n```toml\n",
    );
    text.push_str(&example_file());
    text.push_str("```\n");
    text
}

/// Every section with the defaults of real use, and beside it the same with those of a twin.
fn groups() -> impl Iterator<Item = (Group, Group)> {
    let [serve, twin] = [Mode::Serve, Mode::Twin].map(|mode| Config::defaults(mode).groups());
    serve.into_iter().zip(twin)
}

fn section_markdown(group: &Group, twin: &Group) -> String {
    let title = match group.section {
        "" => "Server".to_owned(),
        section => format!("`[{section}]`"),
    };
    let mut text = format!("\n## {title}\n\n{}\n\n", group.about);
    text.push_str("| setting | environment variable | type | default | from – to | meaning |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for (setting, twin) in group.settings.iter().zip(&twin.settings) {
        let cells = [
            format!("`{}`", setting.key),
            format!("`{}`", environment_name(setting.key)),
            setting.kind.clone(),
            default_cell(setting, twin),
            setting.bounds.clone().unwrap_or_default(),
            meaning(setting),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn default_cell(setting: &Setting, twin: &Setting) -> String {
    let mut cell = in_words(&setting.value);
    if twin.value != setting.value {
        // What is not set by itself is written so; what is taken away has a word for it.
        let twin = match &twin.value {
            Shown::Unset => "`\"none\"`".to_owned(),
            value => in_words(value),
        };
        let _ = write!(cell, "; twin: {twin}");
    }
    cell
}

fn in_words(value: &Shown) -> String {
    match value {
        Shown::Toml(value) => format!("`{value}`"),
        Shown::Unset | Shown::Redacted => "not set".to_owned(),
    }
}

fn meaning(setting: &Setting) -> String {
    match setting.reach {
        Reach::Everywhere => setting.meaning.clone(),
        Reach::EnvironmentOnly => {
            format!("{} From the environment only.", setting.meaning)
        }
    }
}

/// A file with every setting, each explained and commented out: what is set shows its default, what
/// is not set an example.
pub fn example_file() -> String {
    let mut text = String::new();
    for (group, twin) in groups() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&comment(&group.about));
        if !group.section.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "[{}]", group.section);
        }
        for (setting, twin) in group.settings.iter().zip(&twin.settings) {
            text.push('\n');
            text.push_str(&comment(&meaning(setting)));
            if let Some(bounds) = &setting.bounds {
                text.push_str(&comment(&format!("From – to: {bounds}.")));
            }
            if twin.value != setting.value {
                text.push_str(&comment(&format!("In a twin: {}.", in_words(&twin.value))));
            }
            text.push_str(&example_line(setting));
        }
    }
    text
}

fn example_line(setting: &Setting) -> String {
    let name = setting.name();
    match (setting.reach, &setting.value, &setting.example) {
        (Reach::EnvironmentOnly, _, _) => format!("#   {}=…\n", environment_name(setting.key)),
        (_, Shown::Toml(value), _) => format!("#{name} = {value}\n"),
        (_, _, Some(example)) => {
            format!("# Not set unless you do, for example:\n#{name} = {example}\n")
        }
        (_, _, None) => format!("#{name} = \"…\"\n"),
    }
}

/// `text` as comment lines, `# ` before each.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width == 0 || width + 1 + length > EXAMPLE_WIDTH {
            lines.push_str(if width == 0 { "#" } else { "\n#" });
            width = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        width += 1 + length;
    }
    lines.push('\n');
    lines
}
