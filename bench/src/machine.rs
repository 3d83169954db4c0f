//! The machine: its cores, and what a process has used of it.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail};
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// `USER_HZ`: what Linux counts processor time in for its users, on every architecture.
const TICKS_A_SECOND: u32 = 100;
const PAGE: u64 = 4_096;
/// How often a family is looked at until none of it ends meanwhile.
const LOOKS_MAX: u32 = 1_000;

/// Which core is whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cores {
    /// Servers with their stores on one core, the load on another.
    Apart {
        /// Of the servers.
        server: usize,
        /// Of the load.
        load: usize,
    },
    /// Wherever the system puts them.
    Shared,
}

impl Cores {
    /// Two cores of those that this process may use; or why not.
    pub(crate) fn choose() -> (Self, String) {
        let allowed = match sched_getaffinity(None) {
            Ok(allowed) => allowed,
            Err(error) => return (Self::Shared, format!("not pinned to cores: {error}")),
        };
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let (Some(server), Some(load)) = (cores.next(), cores.next()) else {
            let told = "not pinned: one core only, so server and load share it";
            return (Self::Shared, told.to_owned());
        };
        let cores = Self::Apart { server, load };
        match cores.on_core_of_load(|| ()) {
            Ok(()) => (cores, format!("servers on core {server}, load on core {load}")),
            Err(error) => (Self::Shared, format!("not pinned to cores: {error:#}")),
        }
    }

    /// Does `work` in a thread on the load's core.
    pub(crate) fn on_core_of_load<T: Send>(self, work: impl FnOnce() -> T + Send) -> Result<T> {
        match self {
            Self::Apart { load, .. } => on_core(load, work),
            Self::Shared => Ok(work()),
        }
    }

    /// Does `work` in a thread on the servers' core; processes that it starts stay there.
    pub(crate) fn on_core_of_servers<T: Send>(self, work: impl FnOnce() -> T + Send) -> Result<T> {
        match self {
            Self::Apart { server, .. } => on_core(server, work),
            Self::Shared => Ok(work()),
        }
    }
}

fn on_core<T: Send>(core: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut only = CpuSet::new();
            only.set(core);
            sched_setaffinity(None, &only)?;
            Ok(work())
        });
        thread.join().ok().context("the thread ended early")?
    })
}

/// Processor time that a process has used, with all its threads.
pub(crate) fn processor_time(process: Pid) -> Result<Duration> {
    Ok(stat_of(process)?.own)
}

/// The same of a process and all its children, ended ones included.
pub(crate) fn processor_time_of_family(first: Pid) -> Result<Duration> {
    for _ in 0..LOOKS_MAX {
        let before = stat_of(first)?;
        let living: Duration = children(first)?.into_iter().map(|(_, stat)| stat.own).sum();
        let stat = stat_of(first)?;
        // A child that ended meanwhile would count for nothing, or twice.
        if stat.of_ended == before.of_ended {
            return Ok(stat.own + stat.of_ended + living);
        }
    }
    bail!("children of process {first} end all the time")
}

/// What `/proc/…/stat` says of a process.
struct Stat {
    parent: i32,
    own: Duration,
    of_ended: Duration,
}

fn stat_of(process: Pid) -> Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may hold anything, parentheses as well: fields are counted from behind it.
    let (_, fields) = text.rsplit_once(')').context("no name in /proc/…/stat")?;
    let mut fields = fields.split_ascii_whitespace();
    let parent = fields.nth(1).context("no parent")?.parse()?;
    let mut fields = fields.skip(9);
    let mut next = || -> Result<u32> { Ok(fields.next().context("no times")?.parse()?) };
    let mut time = || -> Result<Duration> {
        let ticks = next()? + next()?;
        Ok(Duration::from_secs(ticks.into()) / TICKS_A_SECOND)
    };
    Ok(Stat { parent, own: time()?, of_ended: time()? })
}

/// The children of a process that are there at the moment.
fn children(parent: Pid) -> Result<Vec<(Pid, Stat)>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let process = name.to_str().and_then(|name| Pid::from_raw(name.parse().ok()?));
        // One that has just ended is not there to be read.
        let Some((process, Ok(stat))) = process.map(|process| (process, stat_of(process))) else {
            continue;
        };
        if stat.parent == parent.as_raw_nonzero().get() {
            children.push((process, stat));
        }
    }
    Ok(children)
}

/// Memory of a process and its children in bytes; of what several share, each has its part (PSS).
pub(crate) fn shared_memory_of_family(first: Pid) -> Result<u64> {
    let part = |process: Pid| -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kibibytes = line.context("no PSS")?.trim().trim_end_matches(" kB");
        Ok(kibibytes.parse::<u64>()? << 10)
    };
    let children = children(first)?.into_iter();
    // A child may end while its parts are added up.
    let of_children: u64 = children.filter_map(|(process, _)| part(process).ok()).sum();
    Ok(part(first)? + of_children)
}

/// Memory that a process holds at the moment, in bytes (RSS).
pub(crate) fn resident(process: Pid) -> Result<u64> {
    let statm = fs::read_to_string(format!("/proc/{process}/statm"))?;
    let pages = statm.split_ascii_whitespace().nth(1).context("no RSS in /proc/…/statm")?;
    Ok(pages.parse::<u64>()? * PAGE)
}

/// Kind and number of processors, memory, kernel.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(Path::new(path)).unwrap_or_default();
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
        value.unwrap_or_default().to_owned()
    };
    let processors = read("/proc/cpuinfo");
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let memory = value(&read("/proc/meminfo"), "MemTotal");
    let kibibytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let system = read("/etc/os-release");
    let name = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    format!(
        "{count} × {}, {} GiB, {}, Linux {}",
        value(&processors, "model name"),
        kibibytes >> 20,
        name.unwrap_or("an unnamed system").trim_matches('"'),
        read("/proc/sys/kernel/osrelease").trim()
    )
}

/// What a program prints, without the end of the line; empty when there is no such program.
pub(crate) fn told_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use rustix::process::getpid;

    use super::*;

    const WORKS: &str = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";

    #[test]
    fn the_time_of_a_family_holds_that_of_children_that_live_and_that_have_ended() {
        let before = processor_time_of_family(getpid()).unwrap();
        assert!(Command::new("sh").args(["-c", WORKS]).status().unwrap().success());
        let ended = processor_time_of_family(getpid()).unwrap();
        assert!(ended > before, "{ended:?} after {before:?}");
        let mut living = Command::new("sh")
            .args(["-c", &format!("{WORKS}; echo done; read wait")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = [0; 4];
        std::io::Read::read_exact(living.stdout.as_mut().unwrap(), &mut told).unwrap();
        let pid = Pid::from_raw(i32::try_from(living.id()).unwrap()).unwrap();
        assert!(stat_of(pid).unwrap().own > Duration::ZERO);
        assert!(children(getpid()).unwrap().iter().any(|(child, _)| *child == pid));
        assert!(shared_memory_of_family(getpid()).unwrap() > 0);
        drop(living.stdin.take());
        living.wait().unwrap();
    }
}
