//! What is known of a value although some answers never came.

/// A value between two bounds that are both possible; the same twice once it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<T> {
    pub(super) least: T,
    pub(super) most: T,
}

impl<T: Copy + Ord> Span<T> {
    /// A value that is known.
    pub(super) const fn exactly(value: T) -> Self {
        Self { least: value, most: value }
    }

    /// The value, if it is known.
    pub(super) fn known(self) -> Option<T> {
        (self.least == self.most).then_some(self.least)
    }

    /// Whether it can be this value.
    pub(super) fn holds(self, value: T) -> bool {
        self.least <= value && value <= self.most
    }
}
