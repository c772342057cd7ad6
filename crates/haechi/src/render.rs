//! From a view to a page: the one place where templates meet the request.

use axum::body::Body;
use axum::response::Response;
use haechi_core::RequestContext;
use haechi_template::Page;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::csrf::FormSecret;
use crate::current_user::{Auth, Held};
use crate::error::Result;
use crate::site::Site;
use crate::templates;
use crate::view::View;

/// A flash message as templates see it.
#[derive(Debug, Serialize)]
struct Message {
    level: haechi_session::FlashLevel,
    text: String,
    tags: String,
}

/// Renders the view of an answer, if it has one.
///
/// Messages are taken from the session only for an answer that shows a page, so that a redirect keeps them.
pub(crate) async fn view(
    site: &Site,
    auth: &Auth,
    secret: &FormSecret,
    headers: &HeaderMap,
    context: &RequestContext,
    mut response: Response,
) -> Result<Response> {
    let Some(view) = response.extensions_mut().remove::<View>() else { return Ok(response) };
    let messages: Vec<Message> = auth
        .session()
        .take_flashes()
        .await?
        .into_iter()
        .map(|flash| Message { level: flash.level, text: flash.text, tags: flash.tags })
        .collect();
    let user = crate::current_user::shown(auth).await?;
    let held = match site.inner.asks_permissions {
        true => crate::current_user::held(auth).await?,
        false => Held::default(),
    };
    let token = secret.clone();
    let page = Page::new()
        .nonce(context.nonce().as_str())
        .csrf(move || token.token())
        .global("lang", site.inner.catalogue.choose(headers))
        .global("site", site.name())
        .global("shared", site.is_shared())
        .global("paths", site.inner.accounts.paths())
        .global("user", user)
        .global(templates::HELD, held)
        .global("messages", messages);
    let html = site.templates().render_value(view.template, &view.data, &page)?;
    *response.body_mut() = Body::from(html);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response.headers_mut().remove(http::header::CONTENT_LENGTH);
    Ok(response)
}
