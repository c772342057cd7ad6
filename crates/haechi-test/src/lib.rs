//! The test kit: a browser without a screen, for any `tower` service, in the test's own process.
//!
//! ```
//! # use std::convert::Infallible;
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! use haechi_test::Client;
//!
//! # #[derive(Clone)]
//! # struct Site;
//! # impl tower_service::Service<Request<Full<Bytes>>> for Site {
//! #     type Response = Response<Full<Bytes>>;
//! #     type Error = Infallible;
//! #     type Future = std::future::Ready<Result<Self::Response, Infallible>>;
//! #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
//! #         std::future::ready(Ok(Response::new(Full::from("Hello"))))
//! #     }
//! # }
//! # async fn example(site: Site) {
//! let mut client = Client::new(site, "http://localhost");
//! let page = client.get("/").await;
//! assert_eq!((page.status.as_u16(), page.text().as_str()), (200, "Hello"));
//! # }
//! ```

mod answer;
mod client;
mod jar;

pub use answer::Answer;
pub use client::{Client, Shot};
pub use jar::Jar;
