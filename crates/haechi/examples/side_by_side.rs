//! A haechi site beside a Django site: one database, one secret, one sign-in.
//!
//! A team moves from one to the other page by page. People who are signed in there are signed in here, whoever signs out
//! here is signed out there, and links, forms, messages and cookies of either work on both. `docs/django.md` is the guide.
//!
//! ```text
//! HAECHI_DATABASE_URL=sqlite:db.sqlite3 HAECHI_DJANGO__SECRET_KEY=… HAECHI_DJANGO__VERSION=5.2.19 \
//!     cargo run -p haechi --example side_by_side
//! ```
//!
//! The tables are Django's and are there already; haechi adds its own (`haechi_…`) and touches no other. Nothing below
//! is special to the shared mode but [`Accounts::beside_django`]: the configuration alone makes it one.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use haechi::axum::body::Bytes;
use haechi::axum::extract::DefaultBodyLimit;
use haechi::axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION, SET_COOKIE, X_FRAME_OPTIONS};
use haechi::axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use haechi::axum::response::{Html, IntoResponse, Response};
use haechi::axum::routing::{any, get};
use haechi::axum::{Extension, Router};
use haechi::csp::{Directive, Origin, Source};
use haechi::{
    Accounts, App, Auth, CsrfToken, Error, Flash, FlashLevel, FormData, Json, LocalPath, Query, Result, Site,
    View, context, danger, redirect,
};
use serde::Deserialize;
use serde_json::{Value, json};

fn main() -> ExitCode {
    app().main()
}

pub(crate) fn app() -> App {
    let public = Router::new()
        .route("/whoami", get(whoami))
        .route("/form", any(form).layer(DefaultBodyLimit::max(16 * 1024 * 1024)))
        .route("/json", any(echo_json))
        .route("/csrf-token", get(csrf_token))
        .route("/session-set", get(session_set))
        .route("/message-add", get(message_add))
        .route("/messages", get(messages))
        .route("/cookie-set", get(cookie_set))
        .route("/cookie-get", get(cookie_get))
        .route("/echo", get(echo))
        .route("/redirect", get(redirect_to))
        .route("/plain", get(|| async { "plain" }))
        .route("/frame-exempt", get(frame_exempt))
        .route("/frame-sameorigin", get(frame_sameorigin));
    let exempt = Router::new().route("/exempt", any(method));
    App::new("side_by_side")
        .templates(haechi::embed!("examples/side_by_side"))
        .public(public)
        .public(danger::without_csrf(
            exempt,
            "shows what a route without the check answers; it changes nothing",
        ))
        .signed_in(Router::new().route("/protected", get(whoami)))
        .permission("auth.add_group", Router::new().route("/perm", get(perm)))
        .accounts(
            Accounts::beside_django()
                .login("/login")
                .logout("/logout")
                .password_change("/password-change")
                .password_reset("/password-reset")
                .reset("/reset/")
                .home("/whoami"),
        )
        .csp_for("/frame-sameorigin", |csp| {
            csp.widen(Directive::FrameAncestors, Source::This, "pages of this site frame it")
        })
}

/// Who is signed in, here or there: the user of the shared session.
async fn whoami(auth: Auth) -> Result<Json<Value>> {
    let user = auth.current_user().await?;
    let permissions: BTreeSet<String> = auth.permissions().await?.into_iter().collect();
    let session_keys: BTreeSet<String> = auth.session().values().await?.names().collect();
    Ok(Json(json!({
        "authenticated": user.is_some(),
        "username": user.as_ref().map(|user| &user.username),
        "id": user.as_ref().map(|user| &user.id),
        "is_staff": user.as_ref().is_some_and(|user| user.is_staff),
        "is_superuser": user.as_ref().is_some_and(|user| user.is_superuser),
        "permissions": permissions,
        "session_keys": session_keys,
        "server": "haechi",
    })))
}

/// Django's groups and permissions decide; see `App::permission` above.
async fn perm() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// A form whose token is Django's `csrfmiddlewaretoken`; nobody wrote it into the template.
async fn form(method: Method, data: FormData) -> Result<Response> {
    if matches!(method, Method::GET | Method::HEAD) {
        return Ok(View::new("form.html", context! {}).into_response());
    }
    let mut fields: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &data.fields {
        fields.entry(name).or_default().push(value);
    }
    let mut files: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for file in &data.files {
        files.entry(&file.field).or_default().push(file.bytes.len());
    }
    Ok(Json(json!({ "method": method.as_str(), "fields": fields, "files": files })).into_response())
}

async fn echo_json(method: Method, body: Bytes) -> Result<Json<Value>> {
    let value: Value = match body.is_empty() && method == Method::GET {
        true => Value::Null,
        false => serde_json::from_slice(&body).map_err(|error| Error::bad_request(error.to_string()))?,
    };
    Ok(Json(json!({ "method": method.as_str(), "json": value })))
}

async fn method(method: Method) -> Json<Value> {
    Json(json!({ "method": method.as_str() }))
}

/// The token for a script of the page, which sends it as `X-CSRFToken`; the cookie comes along.
async fn csrf_token(token: CsrfToken) -> Json<Value> {
    Json(json!({ "csrftoken": token.as_str() }))
}

/// Values that the other site reads as `request.session[…]`.
async fn session_set(auth: Auth, Query(pairs): Query<Vec<(String, String)>>) -> Result<Json<Value>> {
    for (name, value) in &pairs {
        auth.session().insert(name, value).await?;
    }
    let values = auth.session().values().await?;
    // What Python alone can read, such as NaN, stays in the session and out of the answer.
    let shown = |name: String| values.get(&name).ok().flatten().map(|value| (name, value));
    let data: BTreeMap<String, Value> = values.names().filter_map(shown).collect();
    Ok(Json(json!({ "data": data })))
}

#[derive(Deserialize)]
struct NewMessage {
    m: String,
    #[serde(default = "info")]
    level: i64,
    #[serde(default)]
    tags: String,
}

fn info() -> i64 {
    FlashLevel::Info.number()
}

/// A message for the next page that shows messages, on whichever site that is.
async fn message_add(auth: Auth, Query(new): Query<NewMessage>) -> Result<Json<Value>> {
    let level = FlashLevel::of_number(new.level);
    auth.session().add_flash(Flash { level, text: new.m, tags: new.tags }).await?;
    Ok(Json(json!({ "ok": true })))
}

async fn messages(auth: Auth) -> Result<Json<Value>> {
    let shown = |flash: Flash| {
        let tags = [flash.tags.as_str(), flash.level.name()];
        let tags: Vec<&str> = tags.into_iter().filter(|tag| !tag.is_empty()).collect();
        json!({ "level": flash.level.number(), "message": flash.text, "tags": tags.join(" ") })
    };
    let messages: Vec<Value> = auth.session().take_flashes().await?.into_iter().map(shown).collect();
    Ok(Json(json!({ "messages": messages })))
}

#[derive(Deserialize)]
struct Cookie {
    name: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    salt: String,
}

/// A cookie that the other site reads by `request.get_signed_cookie(name, salt=salt)`.
async fn cookie_set(site: Site, Query(cookie): Query<Cookie>) -> Result<Response> {
    let signed = site.signed_cookie(&cookie.name, &cookie.salt, KEPT).map_err(bad_cookie)?;
    let line = signed.set(&cookie.value, site.clock().unix()).map_err(bad_cookie)?;
    Ok(([(SET_COOKIE, line)], Json(json!({ "ok": true }))).into_response())
}

async fn cookie_get(site: Site, headers: HeaderMap, Query(cookie): Query<Cookie>) -> Result<Json<Value>> {
    let signed = site.signed_cookie(&cookie.name, &cookie.salt, KEPT).map_err(bad_cookie)?;
    let value =
        signed.find(&headers, site.clock().unix()).map_err(bad_cookie)?.ok_or_else(Error::not_found)?;
    Ok(Json(json!({ "value": value })))
}

fn bad_cookie(error: impl std::fmt::Display) -> Error {
    Error::bad_request(error.to_string())
}

/// Django's `set_signed_cookie` names no age unless told; ten years are as good as none.
const KEPT: Duration = Duration::from_secs(10 * 365 * 86_400);

#[derive(Deserialize)]
struct Echo {
    #[serde(default)]
    x: String,
}

/// What a visitor sent, escaped for each of the places where the template puts it.
async fn echo(Query(Echo { x }): Query<Echo>) -> View {
    View::new("echo.html", context! { x })
}

#[derive(Deserialize)]
struct To {
    to: String,
}

/// Goes to a path of this site, or to an origin of `HAECHI_TRUSTED_ORIGINS`, which is where the other site may be.
async fn redirect_to(site: Site, Query(To { to }): Query<To>) -> Result<Response> {
    if let Ok(path) = LocalPath::parse(&to) {
        return Ok(redirect(path));
    }
    let elsewhere = || Error::bad_request("neither a path of this site nor of a trusted origin");
    let (scheme, rest) = to.split_once("://").ok_or_else(elsewhere)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let origin = Origin::parse(&format!("{scheme}://{host}")).map_err(|_| elsewhere())?;
    let listed = |known: &String| Origin::parse(known).is_ok_and(|known| known == origin);
    if !site.config().trusted_origins.iter().any(listed) || to.contains('\\') {
        return Err(elsewhere());
    }
    let location = HeaderValue::from_str(&to).map_err(|_| elsewhere())?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response())
}

async fn frame_exempt() -> impl IntoResponse {
    let policy = HeaderValue::from_static("default-src 'self'; base-uri 'none'; object-src 'none'");
    let reason = "partners embed this page, which does nothing";
    let relaxed = danger::without_header(X_FRAME_OPTIONS, reason);
    let relaxed = relaxed.and(danger::with_header(CONTENT_SECURITY_POLICY, policy, reason));
    (Extension(relaxed), Html("<p>framed by anybody</p>"))
}

async fn frame_sameorigin() -> impl IntoResponse {
    let value = HeaderValue::from_static("SAMEORIGIN");
    let relaxed = danger::with_header(X_FRAME_OPTIONS, value, "pages of this site frame it");
    (Extension(relaxed), Html("<p>framed by this site</p>"))
}
