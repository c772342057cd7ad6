//! The content security policy of the whole site, and of single routes that need a wider one.
//!
//! ```
//! use haechi::csp::{Csp, Directive, Origin, Source};
//! use haechi::{App, axum::{Router, routing::get}};
//!
//! # fn app() -> Result<App, Box<dyn std::error::Error>> {
//! let tiles = Origin::parse("https://tiles.example")?;
//! let app = App::new("atlas")
//!     .public(Router::new().route("/map/{id}", get(|| async { "a map" })))
//!     .csp(Csp::strict().widen(Directive::Image, Source::Data, "charts are drawn as data: images"))
//!     .csp_for("/map/{id}", move |csp| csp.widen(Directive::Image, Source::Origin(tiles), "the tiles of the map"));
//! # Ok(app)
//! # }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use futures_util::future::BoxFuture;
pub use haechi_core::Origin;
use haechi_core::{Relaxed, danger};
pub use haechi_guard::{Csp, Directive, Source, Widening};
use http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use tower_layer::Layer;
use tower_service::Service;

/// How the policy of one route differs from that of the site.
pub(crate) type Widen = Box<dyn FnOnce(Csp) -> Csp + Send>;

/// The wider policies, by the path pattern of their route.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoutePolicies(Arc<BTreeMap<String, Relaxed>>);

impl RoutePolicies {
    pub(crate) fn new(policies: &[(&'static str, Csp)]) -> Self {
        let relaxed = |csp: &Csp| {
            let policy = danger::with_policy(CONTENT_SECURITY_POLICY, csp.template(), REASON);
            // `DENY` would contradict a policy that names who may frame the page.
            if csp.may_be_framed() {
                policy.and(danger::without_header(X_FRAME_OPTIONS, REASON))
            } else {
                policy
            }
        };
        Self(Arc::new(policies.iter().map(|(path, csp)| ((*path).to_owned(), relaxed(csp))).collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S> Layer<S> for RoutePolicies {
    type Service = Widened<S>;

    fn layer(&self, inner: S) -> Widened<S> {
        Widened { policies: self.clone(), inner }
    }
}

/// A route whose answers may have a policy of their own.
#[derive(Debug, Clone)]
pub(crate) struct Widened<S> {
    policies: RoutePolicies,
    inner: S,
}

impl<S> Service<Request> for Widened<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The route that matched, not the path that was asked for: `/map/new` may be another route than `/map/{id}`.
        let route = request.extensions().get::<MatchedPath>();
        let policy = route.and_then(|route| self.policies.0.get(route.as_str())).cloned();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            if let Some(policy) = policy {
                let extensions = response.extensions_mut();
                // What the handler itself relaxed comes later, and so wins.
                let own = extensions.remove::<Relaxed>().unwrap_or_default();
                extensions.insert(policy.and(own));
            }
            Ok(response)
        })
    }
}

/// The reasons themselves stand in the widenings, which `check` lists.
const REASON: &str = "App::csp_for";
