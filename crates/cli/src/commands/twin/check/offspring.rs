//! Everything that a command has started, which ends with it: its process group, and below Linux
//! also what has left that group, made a session of its own or lost its parent.
//!
//! Orphans become children of this process, which has asked the kernel for them, so that whatever
//! stems from the command is found below it. Out of reach are what another user owns, what a
//! service elsewhere has started, and everything when this process itself is killed (SIGKILL).

use std::{
    collections::HashSet,
    fs,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::{
    io::{Errno, retry_on_intr},
    process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, kill_process_group,
        waitid, waitpid,
    },
};
use tokio::sync::oneshot;

/// What was killed is gone at once, but for what waits for a disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes orphans in, and knows which children are somebody else's business.
pub(super) struct Family {
    /// A shell that started something and then became this program leaves it such children.
    others: HashSet<Pid>,
}

impl Family {
    pub(super) fn new() -> anyhow::Result<Self> {
        #[cfg(target_os = "linux")]
        rustix::process::set_child_subreaper(Some(getpid())).context("taking orphans in")?;
        let others = processes().into_iter().filter(|it| it.parent == Some(getpid()));
        Ok(Self { others: others.map(|it| it.id).collect() })
    }

    /// Whatever stems from the command, whether it has ended or not.
    fn offspring(&self) -> Vec<Process> {
        let mut rest = processes();
        rest.retain(|it| !self.others.contains(&it.id));
        let (mut found, mut parents) = (Vec::new(), HashSet::from([getpid()]));
        loop {
            let is_child = |it: &Process| it.parent.is_some_and(|id| parents.contains(&id));
            let (children, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(is_child);
            if children.is_empty() {
                return found;
            }
            parents.extend(children.iter().map(|it| it.id));
            found.extend(children);
            rest = others;
        }
    }

    /// Kills what there is, and says whether there was anything.
    fn kill(&self, leader: Pid) -> bool {
        let mut was_there = false;
        for process in self.offspring() {
            if !process.is_zombie {
                was_there = true;
                // It may have ended just now.
                let _ = kill_process(process.id, Signal::KILL);
            } else if process.parent == Some(getpid()) && process.id != leader {
                let _ = waitpid(Some(process.id), WaitOptions::NOHANG);
            }
        }
        was_there
    }
}

/// A process, as the kernel tells of it.
struct Process {
    id: Pid,
    parent: Option<Pid>,
    /// It has ended, and nobody has asked how.
    is_zombie: bool,
}

impl Process {
    /// Reads `ID (NAME) STATE PARENT …`, in which a name may be anything.
    fn parse(stat: &str) -> Option<Self> {
        let (id, _) = stat.split_once(' ')?;
        let (_, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_ascii_whitespace();
        let is_zombie = matches!(words.next()?, "Z" | "X");
        let parent = Pid::from_raw(words.next()?.parse().ok()?);
        Some(Self { id: Pid::from_raw(id.parse().ok()?)?, parent, is_zombie })
    }
}

/// All that there are; none where the kernel has no such folder.
fn processes() -> Vec<Process> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let folders = folders.filter(|it| it.file_name().to_str().is_some_and(is_process));
    // One that has ended since is none.
    let read = |folder: fs::DirEntry| fs::read(folder.path().join("stat")).ok();
    folders
        .filter_map(read)
        .filter_map(|stat| Process::parse(&String::from_utf8_lossy(&stat)))
        .collect()
}

/// A running command. Dropping it ends it with all that it has started.
pub(super) struct Running<'a> {
    child: Child,
    leader: Pid,
    family: &'a Family,
    is_over: bool,
}

impl<'a> Running<'a> {
    pub(super) fn new(child: Child, family: &'a Family) -> anyhow::Result<Self> {
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let leader = leader.context("a process without an id")?;
        Ok(Self { child, leader, family, is_over: false })
    }

    /// Done when the command itself has ended. It stays a zombie, so that its number and that of
    /// its group are still its own when the rest is killed.
    pub(super) async fn ended(&self) {
        let (sender, ended) = oneshot::channel();
        let leader = self.leader;
        // A thread of its own, which the end of the process does not wait for.
        thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ = retry_on_intr(|| waitid(WaitId::Pid(leader), options));
            let _ = sender.send(());
        });
        let _ = ended.await;
    }

    /// Ends it with all that it has started, and tells how the command itself ended.
    pub(super) fn end(mut self) -> anyhow::Result<ExitStatus> {
        self.kill_all()?;
        self.is_over = true;
        Ok(self.child.wait()?)
    }

    fn kill_all(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        // Twice, for what was born behind the back of the first look.
        let mut quiet = 0;
        while quiet < 2 {
            match kill_process_group(self.leader, Signal::KILL) {
                // Nobody is left in it, or nobody but a zombie.
                Ok(()) | Err(Errno::SRCH | Errno::PERM) => {}
                Err(error) => return Err(error).context("ending the command"),
            }
            quiet = if self.family.kill(self.leader) { 0 } else { quiet + 1 };
            if quiet == 0 {
                anyhow::ensure!(
                    began.elapsed() < PATIENCE,
                    "what the command has started cannot be ended"
                );
                thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.kill_all().is_ok() {
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_be_called_whatever_it_likes() {
        let read = |stat| Process::parse(stat).map(|it| (it.id, it.parent, it.is_zombie));
        let id = |raw| Pid::from_raw(raw);
        assert_eq!(read("7 (sh) S 1 7 7 0"), Some((id(7).unwrap(), id(1), false)));
        assert_eq!(read("8 (a) Z 9) R (b) Z 7 7"), Some((id(8).unwrap(), id(7), true)));
        assert_eq!(read("1 (init) S 0 1"), Some((id(1).unwrap(), None, false)));
        assert_eq!(read("1 (init"), None);
    }
}
