//! A level that is held, though not everything survives yet.

use std::fs;

use super::{CLIENT, check, said};

/// Fails in these cases.
fn fails_in(cases: &str) -> String {
    format!("{CLIENT}\nme $ZENDESK_ACCESS_TOKEN\ncase $TWIN_CASE in {cases}) exit 1;; esac")
}

#[test]
fn a_baseline_holds_a_level_and_says_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.json");
    let path = file.to_str().unwrap();
    let only = ["--only", "legacy,enforced,after-2027-04-30"];
    let output = check(&[&only[..], &["--json"]].concat(), &fails_in("legacy")).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    fs::write(&file, &output.stdout).unwrap();
    let compared = |form: &[&str], cases: &str| {
        let options = [&only[..], &["--baseline", path], form].concat();
        let output = check(&options, &fails_in(cases)).output().unwrap();
        (output.status.code(), said(&output), output.stdout)
    };
    let (code, text, _) = compared(&[], "legacy");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.ends_with("2 survived, 1 failed.\nNothing changed from the baseline.\n"),
        "{text}"
    );
    let (code, text, _) = compared(&[], "enforced");
    let told = "From the baseline, 1 case got worse:\n  worse: enforced: failed, was survived\n  \
                better: legacy: survived, was failed\n";
    assert_eq!(code, Some(6), "{text}");
    assert!(text.ends_with(told), "{text}");
    let (_, text, _) = compared(&["--markdown"], "enforced");
    let told =
        "From the baseline, 1 case got worse:\n\n- worse: enforced: failed, was survived\n- ";
    assert!(text.contains(told), "{text}");
    // What is printed for programs is the next baseline, and the comparison is beside it.
    let (code, text, stdout) = compared(&["--json"], "none");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.ends_with("nothing got worse:\n  better: legacy: survived, was failed\n"),
        "{text}"
    );
    fs::write(&file, stdout).unwrap();
    let (code, text, _) = compared(&["--skip", "legacy", "--only", "cut-answer"], "none");
    assert!(
        text.contains("  new: cut-answer: survived\n  not tried: legacy: was survived"),
        "{text}"
    );
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_baseline_that_is_none_is_told_before_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.json");
    for (text, told) in [
        (None, "No such file or directory"),
        (Some(""), "the file is empty; a report written into it would empty it first"),
        (Some("[]"), "there is no case in it"),
        (Some("| case | result |"), "no report of this command: "),
        (Some("[{\"case\": \"legacy\"}]"), "missing field `result`"),
        (Some("[{\"case\": \"legacy\", \"result\": \"passed\"}]"), "unknown variant `passed`"),
    ] {
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let options = ["--only", "legacy", "--baseline", file.to_str().unwrap()];
        let output = check(&options, "true").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(output.stdout.is_empty(), "{}", said(&output));
        let text = said(&output);
        assert!(text.contains(&format!("--baseline {}: ", file.display())), "{text}");
        assert!(text.contains(told) && text.contains("hint: make one with: "), "{text}");
    }
}
