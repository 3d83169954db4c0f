//! Pages of lists. Every list is in ascending order of id.

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Where it begins or ends.
    pub window: Window,
    /// The most records, 1 to 100.
    pub limit: u32,
}

/// Where a page begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Starts after this id; 0 is the beginning.
    After(u64),
    /// Ends before this id, and holds the records nearest to it, still ascending.
    Before(u64),
    /// Starts after this many records.
    Offset(u32),
}

/// Part of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The records, ascending.
    pub items: Vec<T>,
    /// Whether there is more in the direction of travel.
    pub has_more: bool,
}
