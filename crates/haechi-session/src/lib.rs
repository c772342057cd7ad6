//! Sessions: ids of 256 bits of which the store sees a hash, idle and absolute limits, stores and the layer.
//!
//! Works with any `tower` stack, plain axum included:
//!
//! ```
//! use haechi_session::{MemoryStore, Session, Sessions};
//!
//! async fn count(session: Session) -> Result<u32, haechi_session::Error> {
//!     let visits = session.get("visits").await?.unwrap_or(0) + 1;
//!     session.insert("visits", &visits).await?;
//!     Ok(visits)
//! }
//!
//! let layer = Sessions::new(MemoryStore::default()).layer();
//! # drop((layer, count));
//! ```
//!
//! # Security
//! - The cookie is `__Host-session`, `Secure`, `HttpOnly`, `SameSite=Lax`; a response of a handler that used the
//!   session is `Cache-Control: no-store` and `Vary: Cookie`.
//! - A session that was ended (sign-out, the device page, a changed password) is not brought back by a request that
//!   was under way. An end counts at once in every process on SQLite, and on PostgreSQL in every part of the process that
//!   ended it; in other processes, on this machine or another, after [`Limits::cache`] at the latest.
//! - A store that is down is an error (503), never an empty session.

mod cache;
pub mod conformance;
mod cookie_store;
mod database;
mod django;
mod django_expiry;
mod django_messages;
mod error;
mod flash;
mod flashes;
mod layer;
mod limits;
mod listener;
mod memory;
mod migrations;
mod session;
mod sessions;
mod store;
mod values;

pub use cache::SessionCache;
pub use cookie_store::CookieStore;
pub use database::DatabaseStore;
pub use django::DjangoStore;
pub use django_messages::{DjangoMessages, MessageStorage};
pub use error::Error;
pub use flash::{Flash, FlashLevel};
pub use layer::{SessionLayer, SessionService, client};
pub use limits::Limits;
pub use memory::MemoryStore;
pub use migrations::SessionTables;
pub use session::{Remember, Session};
pub use sessions::{Listed, Sessions};
pub use store::{At, Client, Record, Saved, SessionStore, StoreFuture, StoreKey, Which, Write};
pub use values::{Changes, Values};
