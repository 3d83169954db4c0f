//! What a result rests on: that the command ran, reached the twin, and fails for the fault alone.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use super::{CLIENT, cases, check, said};
use crate::process::TOKENRY;

const REFRESH: &str = "access=$(pair $ZENDESK_REFRESH_TOKEN | member access_token)
[ -n \"$access\" ] || exit 1";

#[test]
fn a_command_that_cannot_be_started_is_told_before_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, mode, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let told = "No such file or directory";
    for (program, told) in [
        ("/nowhere/tests".to_owned(), told),
        ("no-such-program-anywhere".to_owned(), told),
        (String::new(), told),
        (file("no-interpreter", 0o755, "#!/nowhere/sh\n"), told),
        (file("not-executable", 0o644, "#!/bin/sh\n"), "Permission denied"),
        (folder.path().to_str().unwrap().to_owned(), "Permission denied"),
        (file("nonsense", 0o755, "\x7fELF"), "Exec format error"),
    ] {
        for form in [&[][..], &["--json"]] {
            let mut command = Command::new(TOKENRY);
            let command = command.args(["twin", "check"]).args(form).args(["--", &program]);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{program}: {}", said(&output));
            assert!(output.stdout.is_empty(), "{}", said(&output));
            assert!(said(&output).contains(&format!("{program}: {told}")), "{}", said(&output));
            assert!(said(&output).contains("hint: write the command behind --"));
        }
    }
}

#[test]
fn a_command_that_calls_zendesk_itself_is_led_to_the_twin_by_https() {
    let script = "curl -fsS -u \"$ZENDESK_USERNAME:$ZENDESK_PASSWORD\" \
         https://acme.zendesk.com/api/v2/users/me.json";
    for own in ["", "corp.example", "*", ".zendesk.com"] {
        let mut command = check(&["--only", "legacy", "--https", "--json"], script);
        command.env_remove("no_proxy").env("NO_PROXY", own);
        let (cases, code) = cases(command);
        assert_eq!((code, &cases[0]["calls"]), (Some(0), &1.into()), "{own}: {cases:?}");
    }
}

#[test]
fn a_command_reaches_the_twin_past_a_proxy_of_the_company() {
    let script = format!(
        "{CLIENT}\n[ \"$NO_PROXY\" = corp.example,127.0.0.1,localhost ] && \
         [ \"$no_proxy\" = corp.example,127.0.0.1,localhost ] && me $ZENDESK_ACCESS_TOKEN"
    );
    for name in ["NO_PROXY", "no_proxy"] {
        let mut command = check(&["--only", "legacy", "--json"], &script);
        for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            // Nothing listens there.
            command.env(proxy, "http://127.0.0.1:1");
        }
        command.env_remove("NO_PROXY").env_remove("no_proxy").env(name, "corp.example");
        let (cases, code) = cases(command);
        assert_eq!(code, Some(0), "{cases:?}");
    }
}

#[test]
fn what_fails_without_a_fault_is_said_first_and_is_no_faults_doing() {
    let script = format!("{CLIENT}\n{REFRESH}\nexit 3");
    let (cases, code) = cases(check(&["--only", "expire-token,revoke-token", "--json"], &script));
    assert_eq!((cases.len(), code), (3, Some(6)));
    let why = |at: usize| cases[at]["why"].as_str().unwrap();
    assert_eq!(cases[0]["case"], "refreshing");
    assert!(why(0).starts_with("exit code 3 after 1 call"), "{}", why(0));
    for at in [1, 2] {
        assert_eq!(cases[at]["result"], "failed");
        let told = "failed without a fault too (case refreshing): exit code 3";
        assert!(why(at).starts_with(told), "{}", why(at));
    }
}

#[test]
fn who_is_ended_has_not_stopped_in_good_order() {
    // Without the second line, this is `stopped`.
    for (end, told) in [
        ("kill -KILL $$", "ended by signal 9"),
        ("sh -c 'kill -ABRT $$'; exit $?", "exit code 134, as after signal 6"),
        ("exec sleep 600", "did not end within 3 s"),
    ] {
        let script = format!("{CLIENT}\npair $ZENDESK_REFRESH_TOKEN || {{ {end}; }}");
        let options = ["--only", "lose-answer", "--timeout", "3s", "--json"];
        let (cases, code) = cases(check(&options, &script));
        assert_eq!((cases.len(), code), (2, Some(6)));
        assert_eq!(cases[0]["result"], "survived", "{cases:?}");
        assert_eq!(cases[1]["result"], "failed", "{cases:?}");
        assert!(cases[1]["why"].as_str().unwrap().ends_with(told), "{cases:?}");
    }
}

#[test]
fn the_end_of_what_a_failed_command_wrote_is_shown_and_no_more() {
    let script =
        format!("{CLIENT}\nseq 100000\necho $ZENDESK_ACCESS_TOKEN\n[ $TWIN_CASE = legacy ]");
    let options = ["--only", "legacy,enforced"];
    let output = check(&options, &script).output().unwrap();
    let shown = said(&output).lines().filter(|line| line.contains('│')).count();
    assert_eq!(shown, 20, "{}", said(&output));
    assert!(said(&output).contains("│ 100000\n"), "{}", said(&output));
    for (form, shown) in [("--json", 20), ("--markdown", 0), ("--quiet", 0)] {
        let output = check(&[&options[..], &[form]].concat(), &script).output().unwrap();
        let count = |text: &[u8]| String::from_utf8_lossy(text).matches('│').count();
        assert_eq!((count(&output.stdout), count(&output.stderr)), (0, shown), "{form}");
    }
    let output = check(&[&options[..], &["--markdown"]].concat(), &script).output().unwrap();
    let text = said(&output);
    assert!(text.contains("The end of what it wrote in `enforced`:\n\n    99982\n"), "{text}");
    let long =
        check(&["--only", "legacy"], "head -c 100000 /dev/zero | tr '\\0' é; exit 1").output();
    assert!(said(&long.unwrap()).len() < 9_000);
}
