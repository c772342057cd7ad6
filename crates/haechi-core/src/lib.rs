//! The words every haechi crate speaks: guards, denials, keys, signatures, secrets, paths and clocks.
//!
//! Nothing here knows sockets, files, databases or an async runtime; time and the application's secrets are arguments.

pub mod base62;
pub mod base64url;
mod client_ip;
mod clock;
mod cookie;
mod cookies;
mod csrf_secret;
pub mod danger;
mod denial;
mod denial_page;
mod error;
mod guard;
mod guard_layer;
mod host_name;
mod key;
mod local_path;
mod origin;
mod random;
mod request_context;
mod salted_hmac;
mod scheme;
mod seal;
mod secret;
mod signed_cookie;
mod signer;
mod token;

pub use client_ip::{ClientIp, ClientIpSource, ClientNetwork};
pub use clock::{Clock, SystemClock, TestClock, unix_seconds};
pub use cookie::{SameSite, SecureCookie};
pub use cookies::cookies;
pub use csrf_secret::{CsrfSecret, MaskedToken};
pub use denial::Denial;
pub use denial_page::DenialFormat;
pub use error::{Error, ErrorKind, Quoted};
pub use guard::{Field, Guard, Head};
pub use guard_layer::{GuardLayer, GuardService, Guarded, Resolve, Resolved, logged_path};
pub use host_name::HostName;
pub use key::{KeyMatch, KeyRing, SecretKey};
#[doc(hidden)]
pub use local_path::local_path_template;
pub use local_path::{Encoded, LocalPath};
pub use origin::Origin;
pub use request_context::{Nonce, RequestContext, RequestId};
pub use salted_hmac::salted_hmac;
pub use scheme::Scheme;
pub use seal::{NonceTemplate, Relaxed, Seal};
pub use secret::Secret;
pub use signed_cookie::{SignedCookie, SignedCookieSalt};
pub use signer::{Compress, Purpose, Signer};
pub use token::{Token, TokenHash};
