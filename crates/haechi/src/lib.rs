//! The secure-by-default web framework: from the socket to the login page, every defence on.
//!
//! ```no_run
//! use axum::Router;
//! use axum::routing::get;
//!
//! fn main() -> std::process::ExitCode {
//!     haechi::App::new("hello").public(Router::new().route("/", get(|| async { "Hello" }))).main()
//! }
//! ```
//!
//! Handlers, routers and extractors are axum's. What haechi adds stands around them, for every route: the list is in
//! `stack.rs`. Each route is added under a policy ([`App::public`], [`App::signed_in`], [`App::permission`],
//! [`App::recent`]); there
//! is no way to add one without.

mod accounts;
mod app;
mod body_limits;
mod body_memory;
mod build;
mod command;
pub mod config;
mod context;
pub mod csp;
mod csp_report;
mod csrf;
mod csrf_exempt;
mod current_user;
pub mod danger;
mod database;
mod django;
mod embed;
mod error;
mod extract;
mod field_value;
mod filter;
mod form;
mod form_data;
mod framing;
mod gate;
mod language;
mod log;
mod mail;
mod policy;
mod redirect;
mod refusal_page;
mod render;
mod route_matcher;
mod route_table;
mod service;
mod site;
mod stack;
mod static_files;
mod template_failure;
mod templates;
mod upload;
mod users;
mod view;

pub use accounts::Accounts;
pub use app::App;
pub use axum;
pub use build::BuildError;
pub use config::Config;
pub use context::Serde;
pub use csrf::CsrfToken;
pub use current_user::{Auth, CurrentUser, MaybeUser};
pub use database::Db;
pub use django::Faults as DjangoFaults;
pub use embed::Embedded;
pub use error::{Error, Result};
pub use extract::{Json, Path, Query};
pub use filter::Filter;
pub use form::Form;
pub use form_data::{FormData, FormFile};
pub use haechi_auth::{CreateUser, Credentials, Fixed, KeyType, Membership, User, UserId, UserTable};
pub use haechi_core::{LocalPath, Secret, local};
pub use haechi_db as db;
pub use haechi_db::{FilterSet, Input, Migration, MigrationSet, Model, sql};
pub use haechi_server as server;
pub use haechi_server::Stream;
pub use haechi_session::{Flash, FlashLevel, Session};
#[cfg(feature = "sanitize")]
pub use haechi_template::sanitize;
pub use haechi_template::{Html, SafeAttrs, SafeCss, SafeJs, SafePath, SafeUrl};
pub use mail::{Mail, MailError, Mailer};
pub use policy::Policy;
pub use redirect::redirect;
pub use route_table::Route;
pub use service::SiteService;
pub use site::Site;
pub use upload::{AcceptedFile, Download, FileId, FileKind, Upload, UploadedFile, Uploads};
pub use view::{View, view};

#[doc(hidden)]
pub mod __private {
    pub use super::context::{context, shown};
    pub use rust_embed;
    pub use rust_embed::RustEmbed;
}
