//! The HTML, JavaScript, CSS and URL state machine that knows where a value stands, and the escaper for each place.
//!
//! A template engine feeds the text of a template to a [`Context`] and asks it at every value which [`Escaper`] the
//! place needs. What cannot be escaped safely is an [`Error`] when the template is loaded, never a guess when it is
//! rendered. The crate knows no template language and depends on nothing.

mod attribute;
mod attributes;
mod context;
mod css;
mod element;
mod entity;
mod error;
mod escape;
mod event;
mod facts;
mod html;
mod js;
mod language;
mod meta;
mod open;
mod raw;
mod srcset;
mod tag;
mod url;
mod value;
mod word;

pub use context::Context;
#[doc(hidden)]
pub use context::Place;
pub use error::{Code, Error};
pub use escape::Escaper;
pub use event::{AssetElement, CodeElement, Event, EventKind, Method, Written};
pub use value::{Data, Value};
