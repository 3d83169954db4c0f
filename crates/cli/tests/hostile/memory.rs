//! How much memory a process takes, in KiB; `None` where the system does not say.

/// What it takes now.
pub(crate) fn resident(id: u32) -> Option<u64> {
    read(id, "VmRSS:")
}

/// The most that it ever took.
pub(crate) fn most_resident(id: u32) -> Option<u64> {
    read(id, "VmHWM:")
}

fn read(id: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
