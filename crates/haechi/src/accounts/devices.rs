//! Where a person is signed in, and how to end it.

use axum::response::{IntoResponse, Response};
use haechi_core::local;
use haechi_session::{FlashLevel, Listed};
use http::HeaderMap;
use serde::Deserialize;

use super::browser;
use super::texts::Texts;
use crate::{Auth, CurrentUser, Form, Result, Site, View, context, redirect};

pub(super) async fn page(site: Site, auth: Auth, user: CurrentUser) -> Result<View> {
    let here = auth.session().handle().await?;
    let sessions = site.sessions().list(&user.id.to_string()).await?;
    let device = |listed: Listed| {
        context! {
            current => here.as_deref() == Some(&listed.handle),
            id => listed.handle,
            browser => browser::words(&listed.record.client.browser),
            network => network(&listed.record.client.network),
            last_use => time(listed.record.seen),
        }
    };
    let devices: Vec<_> = sessions.into_iter().map(device).collect();
    Ok(View::new("accounts/devices.html", context! { devices }))
}

#[derive(Deserialize)]
pub(super) struct End {
    /// The handle of a session, or `others`.
    end: String,
}

pub(super) async fn end(
    site: Site,
    auth: Auth,
    user: CurrentUser,
    headers: HeaderMap,
    Form(form): Form<End>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    if form.end == "others" {
        auth.session().end_others().await?;
    } else if auth.session().handle().await?.as_deref() == Some(&form.end) {
        return super::login::logout(auth).await;
    } else if !site.sessions().revoke(&user.id.to_string(), &form.end).await? {
        // Ended by itself meanwhile, or never this person's: the list says what there is.
        return Ok(redirect(local!("/accounts/devices")).into_response());
    }
    auth.session().flash(FlashLevel::Success, texts.get("Signed out there.")).await?;
    Ok(redirect(local!("/accounts/devices")))
}

/// A single address is written without its width.
fn network(text: &str) -> String {
    text.strip_suffix("/32").unwrap_or(text).to_owned()
}

fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
