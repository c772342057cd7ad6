//! The pages of accounts below `/accounts/`: sign-up, sign-in, sign-out, passwords and devices.

mod browser;
mod confirm;
mod devices;
mod email;
mod forget;
mod known_device;
mod login;
mod new_password;
mod next;
mod notice;
mod password_change;
mod password_reset;
mod password_set;
mod proved_email;
mod signup;
mod texts;
mod throttled;
mod to_the_end;

use axum::Router;
use axum::routing::{get, post};
use haechi_core::LocalPath;
use serde::Serialize;

pub(crate) use proved_email::AccountTables;
pub(crate) use texts::Texts;

/// The pages of accounts and their addresses. Their templates are `accounts/*.html`; an application overrides them by
/// name.
///
/// # Examples
///
/// ```
/// use haechi::Accounts;
///
/// // The pages that Django's own `django.contrib.auth.urls` has, where an application wants them.
/// let accounts = Accounts::beside_django().login("/login").logout("/logout").home("/whoami");
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Accounts {
    login: &'static str,
    logout: &'static str,
    password_change: &'static str,
    password_reset: &'static str,
    /// Begins the address of a reset link.
    reset: &'static str,
    home: &'static str,
    scope: Scope,
}

/// Which pages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All.
    Everything,
    /// Those that Django has; the others are the neighbour's, or cannot be.
    Django,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            login: "/accounts/login",
            logout: "/accounts/logout",
            password_change: "/accounts/password/change",
            password_reset: "/accounts/password/reset",
            reset: "/accounts/reset/",
            home: "/",
            scope: Scope::Everything,
        }
    }
}

impl Accounts {
    /// The pages that a Django site has too: signing in and out, changing the password and setting it by mail, at the
    /// addresses of [`default`](Self::default) unless others are named. Forms have Django's fields.
    pub fn beside_django() -> Self {
        Self { scope: Scope::Django, ..Self::default() }
    }

    /// Sets the address of the sign-in page.
    pub fn login(self, login: &'static str) -> Self {
        Self { login, ..self }
    }

    /// Sets the address that signs out.
    pub fn logout(self, logout: &'static str) -> Self {
        Self { logout, ..self }
    }

    /// Sets the address of the page that changes the password.
    pub fn password_change(self, password_change: &'static str) -> Self {
        Self { password_change, ..self }
    }

    /// Sets the address of the page that asks for a reset link.
    pub fn password_reset(self, password_reset: &'static str) -> Self {
        Self { password_reset, ..self }
    }

    /// Sets what reset links begin with, such as `/reset/`; behind it stand `{uid}/{token}/`.
    pub fn reset(self, reset: &'static str) -> Self {
        Self { reset, ..self }
    }

    /// Sets where people go who have signed in or out and came from nowhere.
    pub fn home(self, home: &'static str) -> Self {
        Self { home, ..self }
    }

    pub(crate) fn public(self) -> Router {
        let reset = format!("{}{{uid}}/{{token}}/", self.reset);
        let router = Router::new()
            .route(self.login, get(login::login_page).post(login::login))
            .route(self.logout, post(login::logout))
            .route(self.password_reset, get(password_reset::page).post(password_reset::send))
            .route(&reset, get(password_set::page).post(password_set::set));
        match self.scope {
            Scope::Django => router,
            Scope::Everything => router
                .route("/accounts/signup", get(signup::signup_page).post(signup::signup))
                .route("/accounts/email/{token}/", get(email::open))
                .route("/accounts/email/confirm", get(email::page).post(email::confirm)),
        }
    }

    pub(crate) fn signed_in(self) -> Router {
        let change = get(password_change::password_page).post(password_change::password_change);
        let router = Router::new()
            .route(self.password_change, change)
            .route("/accounts/confirm", get(confirm::page).post(confirm::confirm));
        match self.scope {
            Scope::Django => router,
            Scope::Everything => router
                .route("/accounts/email", post(email::send))
                .route("/accounts/devices", get(devices::page).post(devices::end)),
        }
    }

    /// Beginnings of addresses behind which a token stands.
    pub(crate) fn unlogged(self) -> Vec<&'static str> {
        vec![self.reset, "/accounts/email/"]
    }

    pub(crate) fn sign_in_page(self) -> LocalPath {
        local(self.login)
    }

    pub(crate) fn start(self) -> LocalPath {
        local(self.home)
    }

    pub(super) fn reset_page(self) -> &'static str {
        self.reset
    }

    pub(super) fn password_reset_page(self) -> &'static str {
        self.password_reset
    }

    /// Whether forms have Django's fields, the new password twice.
    pub(super) fn is_djangos(self) -> bool {
        self.scope == Scope::Django
    }

    /// What templates see: addresses without their first slash, which stands in the template so that the address is
    /// seen to be of this site.
    pub(crate) fn paths(self) -> Paths {
        let all = self.scope == Scope::Everything;
        let bare = |path: &'static str| path.trim_start_matches('/');
        Paths {
            login: bare(self.login),
            logout: bare(self.logout),
            password_change: bare(self.password_change),
            password_reset: bare(self.password_reset),
            signup: all.then_some("accounts/signup"),
            devices: all.then_some("accounts/devices"),
        }
    }
}

/// The addresses of the pages, for templates.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Paths {
    login: &'static str,
    logout: &'static str,
    password_change: &'static str,
    password_reset: &'static str,
    signup: Option<&'static str>,
    devices: Option<&'static str>,
}

fn local(path: &'static str) -> LocalPath {
    LocalPath::parse(path).unwrap_or_else(|_| LocalPath::root())
}
