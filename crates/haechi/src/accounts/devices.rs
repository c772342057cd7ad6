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
    let devices: Option<Vec<_>> = match auth.devices().await {
        Ok(devices) => Some(devices.into_iter().map(device).collect()),
        Err(error) if keeps_no_list(&error) => None,
        Err(error) => return Err(error.into()),
    };
    let email_proved = is_proved(site.db(), &user).await?;
    Ok(View::new("accounts/devices.html", context! { devices, email => user.email.clone(), email_proved }))
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
            Ok(_) => {}
            // The page says what can be done instead.
            Err(error) if keeps_no_list(&error) => return Ok(redirect(local!("/accounts/devices"))),
            Err(error) => return Err(error.into()),
        }
    } else if auth.session().handle().await?.as_deref() == Some(&form.end) {
        return super::login::logout(site, auth).await;
    } else {
        match auth.end_device(&form.end).await {
            Ok(true) => {}
            // Ended by itself meanwhile, or never this person's: the list says what there is, or that there is none.
            Ok(false) => return Ok(redirect(local!("/accounts/devices"))),
            Err(error) if keeps_no_list(&error) => return Ok(redirect(local!("/accounts/devices"))),
            Err(error) => return Err(error.into()),
        }
    }
    auth.session().flash(FlashLevel::Success, texts.get("Signed out there.")).await?;
    Ok(redirect(local!("/accounts/devices")))
}

/// Whether sessions are kept where nobody can list them: in a cookie, or in the table of a Django.
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
