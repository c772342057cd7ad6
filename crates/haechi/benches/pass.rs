//! What the stack costs a request that it lets through: the same route in axum's router alone and behind every guard; and what
//! reading a form costs.
//!
//! `cargo bench -p haechi` prints the time of each. For instructions, which do not depend on how busy the machine is,
//! run one side with two counts and divide the difference of the totals by the difference of the counts:
//!
//! ```text
//! valgrind --tool=callgrind target/release/deps/pass-… haechi 1000
//! valgrind --tool=callgrind target/release/deps/pass-… haechi 3000
//! ```
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::time::Instant;

use haechi::axum::body::Body;
use haechi::axum::extract::FromRequest;
use haechi::axum::http::Request;
use haechi::axum::routing::get;
use haechi::axum::{Router, response::Response};
use haechi::{App, Config, Form, Secret};
use tower_service::Service;

fn router() -> Router {
    Router::new().route("/", get(|| async { "Hello, World!" }))
}

/// What a browser sends when somebody follows a link.
fn request() -> Request<Body> {
    Request::get("/")
        .header("host", "localhost")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36")
        .header("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
        .header("accept-language", "en")
        .header("sec-fetch-site", "none")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .body(Body::empty())
        .unwrap()
}

async fn drive<S>(mut service: S, count: usize)
where
    S: Service<Request<Body>, Response = Response, Error = std::convert::Infallible>,
{
    for _ in 0..count {
        let answer = service.call(request()).await.unwrap();
        assert_eq!(answer.status(), 200);
        drop(black_box(answer));
    }
}

/// A post of some 7,000 letters, most of them percent-encoded.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    title: String,
    body: String,
    stars: Option<u8>,
}

async fn read_forms(count: usize) {
    let text = "%ED%95%B4%EC%B9%98%EB%8A%94+%EB%B6%88%EC%9D%84+%EB%A8%B9%EB%8A%94%EB%8B%A4.+".repeat(500);
    let body = format!("csrf_token={}&title=a+b&stars=5&body={text}", "a".repeat(64));
    for _ in 0..count {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        let Form(post) = Form::<Post>::from_request(request.body(Body::from(body.clone())).unwrap(), &())
            .await
            .unwrap_or_else(|_| unreachable!("a good form"));
        assert_eq!((post.title.as_str(), post.stars), ("a b", Some(5)));
        drop(black_box(post.body));
    }
}

fn side(name: &str, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = Config::default();
        config.database.url = Some(Secret::new("sqlite::memory:".to_owned()));
        config.secret_key = Some(Secret::new("kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E-bench-only".to_owned()));
        config.limits.requests_per_minute = u32::MAX;
        let (_, service) = App::new("bench").public(router()).into_service(config).await.unwrap();
        let began = Instant::now();
        match name {
            "axum" => drive(router(), count).await,
            "form" => read_forms(count).await,
            _ => drive(service, count).await,
        }
        let each = began.elapsed() / u32::try_from(count).unwrap();
        println!("{name:>8}  {each:?} a request of {count}");
    });
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [name, count] => side(name, count.parse().unwrap()),
        _ => {
            ["axum", "haechi"].into_iter().for_each(|name| side(name, 100_000));
            side("form", 10_000);
        }
    }
}
