//! Static files: only what was embedded, by its own name.

use haechi_test::Shot;

use crate::site::{browser, sign_up};

#[tokio::test]
async fn no_path_leaves_the_static_folder() {
    let mut browser = browser().await;
    for path in [
        "/static/../Cargo.toml",
        "/static/..%2fCargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static/..%5cCargo.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/....//Cargo.toml",
        "/static/haechi.css%00.txt",
        "/static/.env",
        "/static/",
        "/static",
        "/static/haechi.css/",
        "/static/%c0%ae%c0%ae/Cargo.toml",
        "/static/haechi.css%2f..%2f..%2fCargo.toml",
    ] {
        let answer = browser.request(Shot::new("GET", path)).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.text().contains("[package]") && !answer.text().contains("root:"), "{path}");
    }
}

#[tokio::test]
async fn an_address_that_is_no_text_is_refused_with_the_page_of_the_site() {
    for path in ["/static/%ff", "/static/a/%c3.css"] {
        let answer = browser().await.request(Shot::new("GET", path).header("accept", "text/html")).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(answer.text().contains("<h1>Bad request</h1>"), "{path}: {}", answer.text());
        assert!(!answer.text().contains("UTF-8`"), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_file_is_served_as_what_its_name_says() {
    let answer = browser().await.get("/static/haechi.css").await;
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

/// Also while the store of the sessions is down, for nobody asks it.
#[tokio::test]
async fn a_file_is_the_same_for_everybody_and_is_kept_by_the_browser_of_a_member() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    let answer = browser.get("/static/haechi.css").await;
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert!(answer.cookies().is_empty());
    assert!(answer.headers.get_all("vary").iter().all(|varies| varies != "Cookie"), "{:?}", answer.headers);
    let page = browser.get("/mine").await;
    assert_eq!(page.header("cache-control"), "no-store");
}
