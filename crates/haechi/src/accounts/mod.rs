//! The pages of accounts below `/accounts/`: sign-up, sign-in, sign-out, passwords and devices.

mod browser;
mod confirm;
mod devices;
mod email;
mod forget;
mod known_device;
mod login;
mod next;
mod notice;
mod password_change;
mod password_reset;
mod password_set;
mod proved_email;
mod signup;
mod texts;
mod throttled;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use proved_email::AccountTables;
pub(crate) use texts::Texts;

/// The pages of accounts. Their templates are `accounts/*.html`; an application overrides them by name.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Accounts {}

impl Accounts {
    pub(crate) fn public(self) -> Router {
        Router::new()
            .route("/accounts/login", get(login::login_page).post(login::login))
            .route("/accounts/logout", post(login::logout))
            .route("/accounts/signup", get(signup::signup_page).post(signup::signup))
            .route("/accounts/password/reset", get(password_reset::page).post(password_reset::send))
            .route("/accounts/email/{token}/", get(email::open))
            .route("/accounts/email/confirm", get(email::page).post(email::confirm))
            .route("/accounts/reset/{uid}/{token}/", get(password_set::page).post(password_set::set))
    }

    pub(crate) fn signed_in(self) -> Router {
        let change = get(password_change::password_page).post(password_change::password_change);
        Router::new()
            .route("/accounts/password/change", change)
            .route("/accounts/confirm", get(confirm::page).post(confirm::confirm))
            .route("/accounts/email", post(email::send))
            .route("/accounts/devices", get(devices::page).post(devices::end))
    }
}
