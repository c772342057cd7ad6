//! The guards, one a file: host, proxy, origin, csrf, headers, csp, rate and the limit of a body.
//!
//! Each decides on the head of a request alone and never awaits; [`form_token`] is the one look into a body, as a pure function over its bytes.

mod body_limit;
mod csp;
mod csp_report;
mod csrf;
mod form_token;
mod headers;
mod host;
mod origin;
mod proxy;
mod rate;
#[cfg(test)]
mod rows;

pub use body_limit::BodyLimit;
pub use csp::{Csp, Directive, Source, Widening};
pub use csp_report::CspReport;
pub use csrf::{Csrf, TokenRequirement, token_denial};
pub use form_token::{FormToken, Prefix, form_token};
pub use headers::Headers;
pub use host::Host;
pub use origin::Origin;
pub use proxy::{Network, Proxies};
pub use rate::{Rate, RateLimit};
