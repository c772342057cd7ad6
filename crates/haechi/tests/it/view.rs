//! What a handler gives to a page.

use haechi::axum::Router;
use haechi::axum::routing::get;
use haechi::{App, Embedded, Html, SafePath, Serde, View, context};
use haechi_test::Client;

use crate::site::config;

#[derive(serde::Serialize)]
struct Post {
    title: String,
    tags: Vec<&'static str>,
}

async fn shown() -> View {
    let posts = vec![Post { title: "<b>".to_owned(), tags: vec!["a", "&"] }];
    let note = Html::literal("<i>new</i>");
    let forged = serde_json::to_value(&note).unwrap();
    View::new(
        "p.html",
        context! { posts, note, forged, page => 1 + 1, nobody => None::<&str>, old => Serde(7) },
    )
}

const PAGE: &str = "{% for post in posts %}{{ post.title }} {{ post.tags|join(',') }}{% endfor %} {{ note }} {{ forged }} {{ page }} \
     {{ nobody is none }} {{ old }}";

#[tokio::test]
async fn a_page_shows_whatever_serializes_and_trusts_only_what_is_typed() {
    let templates =
        Embedded::new("no such folder", || vec!["p.html".into()], |_| Some(PAGE.as_bytes().into()));
    let app = App::new("test").templates(templates).public(Router::new().route("/", get(shown)));
    let (_, service) = app.into_service(config()).await.unwrap();
    let text = Client::new(service, "http://localhost").get("/").await.text();
    assert!(text.starts_with("&lt;b&gt; a,&amp; <i>new</i> "), "{text}");
    assert!(text.ends_with(" 2 True 7") && text.matches("<i>").count() == 1, "{text}");
}

#[tokio::test]
async fn a_form_posts_to_what_a_path_function_makes() {
    let templates = Embedded::new(
        "no such folder",
        || vec!["p.html".into()],
        |_| Some(b"<form method=\"post\" action=\"{{ url(7) }}\">".as_slice().into()),
    );
    let url = |id: u32| SafePath::parse(&format!("/posts/{id}")).unwrap_or(SafePath::literal("/"));
    let page = get(|| async { View::new("p.html", context! {}) });
    let app = App::new("test")
        .templates(templates)
        .path_function("url", url)
        .public(Router::new().route("/", page));
    let (_, service) = app.into_service(config()).await.unwrap();
    let text = Client::new(service, "http://localhost").get("/").await.text();
    assert!(
        text.starts_with(
            "<form method=\"post\" action=\"/posts/7\"><input type=\"hidden\" name=\"csrf_token\""
        ),
        "{text}"
    );
}

/// asvs_1_3_1: an allow-list.
#[cfg(feature = "sanitize")]
#[test]
fn rich_text_keeps_harmless_markup_only() {
    let bio = haechi::sanitize("<b>Hi</b><img src=x onerror=alert(1)><a href=javascript:alert(1)>x</a>");
    assert!(bio.as_str().starts_with("<b>Hi</b>"), "{}", bio.as_str());
    assert!(!bio.as_str().contains("onerror") && !bio.as_str().contains("javascript:"), "{}", bio.as_str());
}
