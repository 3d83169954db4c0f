//! Files that pages refer to.

use crate::support::TestApp;

#[tokio::test]
async fn what_a_page_refers_to_is_there_and_may_be_kept_for_ever() {
    let app = TestApp::new().await;
    let page = app.get("/").await.expect(200);
    let hrefs = page.text().split("href=\"").skip(1);
    let hrefs: Vec<_> = hrefs.filter_map(|rest| rest.split('"').next()).collect();
    let assets: Vec<_> = hrefs.iter().filter(|href| href.starts_with("/assets/")).collect();
    assert_eq!(assets.len(), 2);
    for href in assets {
        let asset = app.get(href).await.expect(200);
        let is_stylesheet = href.contains(".css");
        let kind = if is_stylesheet { "text/css; charset=utf-8" } else { "image/svg+xml" };
        assert_eq!(asset.header("content-type"), Some(kind));
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(asset.header("x-content-type-options"), Some("nosniff"));
        let (path, _) = href.split_once('?').unwrap();
        let asset = app.get(path).await.expect(200);
        assert_eq!(asset.header("cache-control"), Some("public, max-age=3600"));
    }
}

#[tokio::test]
async fn no_other_file_is_given() {
    let app = TestApp::new().await;
    for path in ["/assets/", "/assets/x", "/assets/..%2fCargo.toml", "/assets/a/b", "/assets"] {
        app.get(path).await.expect(404);
    }
}
