//! Where a person is signed in, and how to end it.

use axum::response::Response;
use haechi_auth::Device;
use haechi_core::local;
use haechi_session::FlashLevel;
use http::HeaderMap;
use serde::Deserialize;

use super::browser;
use super::proved_email::is_proved;
use super::texts::Texts;
use crate::{Auth, CurrentUser, Form, Result, Site, View, context, redirect};

pub(super) async fn page(site: Site, auth: Auth, user: CurrentUser) -> Result<View> {
    let device = |device: Device| {
        context! {
            current => device.current,
            id => device.handle,
            browser => browser::words(&device.browser),
            network => network(&device.network),
            last_use => time(device.last_use),
        }
    };
    let found = match auth.devices().await {
        Err(error) if keeps_no_list(&error) => None,
        found => Some(found?),
    };
    let listed = found.is_some();
    let devices: Vec<_> = found.unwrap_or_default().into_iter().map(device).collect();
    let email_proved = is_proved(site.db(), &user).await?;
    let page = context! { listed, devices, email => user.email.clone(), email_proved };
    Ok(View::new("accounts/devices.html", page))
}

#[derive(Deserialize)]
pub(super) struct End {
    /// The handle of a session, or `others`.
    end: String,
}

pub(super) async fn end(
    site: Site,
    auth: Auth,
    headers: HeaderMap,
    Form(form): Form<End>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    if form.end == "others" {
        match auth.end_other_devices().await {
            Err(error) if keeps_no_list(&error) => return Ok(redirect(local!("/accounts/devices"))),
            ended => ended?,
        };
    } else if auth.session().handle().await?.as_deref() == Some(&form.end) {
        return super::login::logout(site.clone(), auth, headers.clone()).await;
    } else if !ended(&auth, &form.end).await? {
        // Ended by itself meanwhile, or never this person's: the list says what there is.
        return Ok(redirect(local!("/accounts/devices")));
    }
    auth.session().flash(FlashLevel::Success, texts.get("Signed out there.")).await?;
    Ok(redirect(local!("/accounts/devices")))
}

/// Ends one session; where there is no list of them, none is there to end.
async fn ended(auth: &Auth, handle: &str) -> Result<bool> {
    match auth.end_device(handle).await {
        Err(error) if keeps_no_list(&error) => Ok(false),
        ended => Ok(ended?),
    }
}

/// Whether sessions are where nobody can list or end them: in their cookies.
fn keeps_no_list(error: &haechi_auth::Error) -> bool {
    matches!(error, haechi_auth::Error::Session(haechi_session::Error::Unsupported(_)))
}

/// A single address is written without its width.
fn network(text: &str) -> String {
    text.strip_suffix("/32").unwrap_or(text).to_owned()
}

fn time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
