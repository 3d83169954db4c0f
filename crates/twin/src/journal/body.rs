//! Bodies, as calls have them.

/// A body as it went over the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct Body<'a> {
    /// `Content-Type`, if it had one.
    pub content_type: Option<&'a str>,
    /// Empty: there was none.
    pub bytes: &'a [u8],
}

impl Body<'_> {
    pub(super) fn is_form(&self) -> bool {
        let essence = self.content_type.and_then(|it| it.split(';').next()).unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }
}
