//! What a command leaves running ends with its case, however that ends, and with the check.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{CLIENT, cases, check};

/// A process, a grandchild whose parent is gone, and, where there is `setsid`, one with a session
/// of its own; each writes its number into the folder.
fn leaves_running(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "{CLIENT}\n\
         write() {{ echo 'echo $$ > {folder}/'$1'.'$TWIN_CASE'; exec sleep 600'; }}\n\
         sh -c \"$(write child)\" &\n\
         sh -c \"sh -c \\\"\\$1\\\" & exit\" sh \"$(write grandchild | sed 's/\\$\\$/$$/')\" &\n\
         setsid sh -c \"$(write session)\" < /dev/null > /dev/null 2>&1 &\n\
         for name in child grandchild session; do\n\
           until [ -s {folder}/$name.$TWIN_CASE ]; do sleep 0.01; done\n\
         done\n\
         me $ZENDESK_ACCESS_TOKEN\n"
    )
}

/// A process that was ended is gone, or a zombie that nobody has asked about.
fn is_running(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[track_caller]
fn nothing_runs(folder: &Path, count: usize) {
    assert_eq!(gone(folder), count);
}

/// How many have written their number; none of them runs.
#[track_caller]
fn gone(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let read = files.map(|file| (fs::read_to_string(&file).unwrap(), file));
    // One that was ended before it wrote leaves an empty file.
    let written: Vec<_> = read.filter(|(id, _)| !id.is_empty()).collect();
    for (id, file) in &written {
        assert!(!is_running(id), "{} {id}", file.display());
    }
    written.len()
}

#[test]
fn whatever_a_command_left_running_is_gone_before_the_next_case() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    // The second case looks whether that of the first is there.
    let looks = format!(
        "for file in {path}/*.legacy; do [ -e $file ] && kill -0 $(cat $file) && exit 9; done"
    );
    let script = |end: &str| {
        format!(
            "[ $TWIN_CASE = enforced ] && {{ {looks}; }}\n{}{end}",
            leaves_running(folder.path())
        )
    };
    let options = ["--only", "legacy,enforced", "--json"];
    let (cases, code) = cases(check(&options, &script("exit 0")));
    assert_eq!((cases.len(), code), (2, Some(0)), "{cases:?}");
    nothing_runs(folder.path(), 6);
}

#[test]
fn nothing_survives_a_time_out_or_a_signal() {
    // On a busy machine the time may be up before all of them run.
    let all_are_gone = [2, 4, 8, 16, 32, 64].into_iter().any(|seconds| {
        let why = format!("did not end within {seconds} s");
        gone_when_it_failed("sleep 600", &format!("{seconds}s"), &why) == 3
    });
    assert!(all_are_gone, "not all of them ran");
    assert_eq!(gone_when_it_failed("kill -SEGV $$", "60s", "ended by signal 11"), 3);
}

/// How many it had left running, of which none is left.
fn gone_when_it_failed(end: &str, timeout: &str, why: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("{}{end}", leaves_running(folder.path()));
    let options = ["--only", "legacy", "--json", "--timeout", timeout];
    let (cases, code) = cases(check(&options, &script));
    assert_eq!((cases[0]["result"].as_str(), code), (Some("failed"), Some(6)));
    assert!(cases[0]["why"].as_str().unwrap().contains(why), "{cases:?}");
    gone(folder.path())
}

#[test]
fn nothing_survives_the_check_when_that_is_stopped() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "{}\n: > {}/ready\nsleep 600",
            leaves_running(folder.path()),
            folder.path().display()
        );
        let mut command = check(&["--only", "legacy"], &script);
        let mut running =
            Stopped(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let began = Instant::now();
        while !folder.path().join("ready").exists() {
            assert!(began.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(10));
        }
        fs::remove_file(folder.path().join("ready")).unwrap();
        kill_process(Pid::from_child(&running.0), signal).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), Some(130));
        nothing_runs(folder.path(), 3);
    }
}

/// Ends with the test.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_was_there_before_the_check_is_left_alone() {
    // A shell that becomes the check leaves it a child.
    let command =
        check(&["--only", "legacy", "--json"], &format!("{CLIENT}me $ZENDESK_ACCESS_TOKEN"));
    let mut shell = Command::new("bash");
    shell.arg("-c").arg("sleep 600 > /dev/null 2>&1 & echo $!; exec \"$@\"").arg("bash");
    shell.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    let output = shell.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let id = text.lines().next().unwrap();
    assert!(is_running(id));
    let _ = kill_process(Pid::from_raw(id.parse().unwrap()).unwrap(), Signal::KILL);
}
