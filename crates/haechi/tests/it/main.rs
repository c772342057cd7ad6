//! Attacks on a whole site: every default, over the stack that the server calls.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod chromium;
mod cookies;
mod csp;
mod csrf;
mod devices;
mod django_exporter;
mod django_site;
mod email;
mod failure;
mod headers;
mod host;
mod known_device;
mod outbox;
mod password_reset;
#[path = "../../../haechi-auth/tests/django/people.rs"]
mod people;
mod pictures;
mod policy;
mod recent;
mod side_by_side;
mod side_by_side_people;
mod sign_in;
mod sign_up_throttle;
mod site;
mod smtp;
mod static_files;
mod template_failure;
mod templates;
mod upload;
mod users;
mod view;
