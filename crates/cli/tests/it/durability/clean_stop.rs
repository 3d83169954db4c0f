//! A clean stop keeps even what a crash may lose.

use super::Site;
use crate::{client::Client, process::Process};

#[test]
fn a_clean_stop_keeps_the_last_use_of_a_token() {
    let site = Site::new();
    let server = Process::start(site.folder.path());
    let client = Client::new(&server.base);
    let access = client.issue(&site.app).unwrap().tokens().access;
    assert_eq!(client.used_at(&site.admin, &access), None);
    assert_eq!(client.is_alive(&access), Some(true));
    let used_at = client.used_at(&site.admin, &access);
    assert!(used_at.is_some());
    // The stop comes before the next flush would have been due.
    server.stop();
    let server = Process::start(site.folder.path());
    assert_eq!(Client::new(&server.base).used_at(&site.admin, &access), used_at);
    server.stop();
}
