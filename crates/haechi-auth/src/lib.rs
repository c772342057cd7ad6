//! Users, password hashers, sign-in, throttling, permissions and reset tokens.

mod auth;
mod authority;
mod backend;
mod credentials;
mod device;
mod django_users;
mod error;
pub mod hash;
mod known_device;
mod migrations;
mod password_rules;
mod permission;
mod repeats;
mod reset;
mod reset_token;
mod security_log;
mod throttle;
mod user;
mod user_id;
mod user_store;

pub use auth::Auth;
pub use authority::{Authority, CreateUser};
pub use backend::{AuthBackend, PasswordBackend, Verdict};
pub use credentials::Credentials;
pub use device::Device;
pub use django_users::DjangoUsers;
pub use error::Error;
pub use migrations::UserTables;
pub use password_rules::{Objection, PasswordRules};
pub use reset::Reset;
pub use reset_token::ResetTokens;
pub use security_log::{Broken, NotVerified, SecurityEntry, SecurityEvent, SecurityLog, Verified};
pub use throttle::{Allowance, Attempt, Throttle};
pub use user::{Account, Authenticated, NewAccount, User};
pub use user_id::{NotUserId, UserId};
pub use user_store::{StoreFuture, UserStore};
