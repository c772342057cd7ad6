//! The site as a `tower` service: what a test, or another server, calls.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;
use tower_service::Service;

use crate::stack::Stack;
use crate::{App, BuildError, Config, Site};

/// The whole stack of a site, with every defence. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SiteService {
    pub(crate) stack: Stack,
}

impl App {
    /// Builds the site and brings its tables up to date; the service answers requests without a socket.
    ///
    /// # Errors
    ///
    /// As the command `serve`: the first thing that cannot be right, with its cure.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn example() -> Result<(), haechi::BuildError> {
    /// let mut config = haechi::Config::default();
    /// config.database.url = Some(haechi::Secret::new("sqlite::memory:".to_owned()));
    /// let (site, service) = haechi::App::new("hello").into_service(config).await?;
    /// # drop((site, service));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_service(self, config: Config) -> Result<(Site, SiteService), BuildError> {
        let built = self.build(config).await?;
        built.migrations.apply(built.site.db()).await?;
        if built.app.users.named {
            built.refuse_misfits().await?;
        }
        Ok((built.site, SiteService { stack: built.stack }))
    }
}

impl<B> Service<Request<B>> for SiteService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<B>>::poll_ready(&mut self.stack, context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.stack.call(request))
    }
}
