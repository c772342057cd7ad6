//! A board with users: the reference application of haechi.

mod comments;
mod demo;
mod field;
mod listing;
mod live;
mod models;
mod moderation;
mod moment;
mod posts;
mod profiles;
mod rights;
mod routes;
mod search;
mod website;

use haechi::{Accounts, App, Result, Site};
use jiff::Timestamp;

fn main() -> std::process::ExitCode {
    App::new("board")
        .templates(haechi::embed!("templates"))
        .static_files(haechi::embed!("static"))
        .translations("ko", include_str!("../locales/ko.toml"))
        .migrations(models::BoardTables)
        .public(routes::public())
        .signed_in(routes::members())
        .permission(rights::MODERATE, routes::moderation())
        .accounts(Accounts::default())
        .socket("live", live::serve)
        .command("demo", "Fill the board with a little content, and print who may sign in", demo::fill)
        .main()
}

/// The moment by the clock of the site, which a test may set.
fn now(site: &Site) -> Result<Timestamp> {
    Ok(Timestamp::try_from(site.clock().now())?)
}
