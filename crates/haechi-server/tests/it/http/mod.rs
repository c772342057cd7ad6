//! HTTP over real sockets.

mod bodies;
mod deadlines;
mod drain;
mod malformed;
mod pressure;
mod site;
mod two;
mod upgrade;
