//! `django`: standing beside a Django site.

mod doctor;

use std::process::ExitCode;

use clap::Subcommand;

use crate::App;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tell whether users and sessions can be shared with the Django site that the configuration names; exit code 1 if not
    Doctor,
    /// Print a program for `manage.py shell` that writes the section [django] from the settings of the Django site
    Exporter,
}

/// Prints what needs no site.
pub(super) fn exporter() -> ExitCode {
    print!("{EXPORTER}");
    ExitCode::SUCCESS
}

/// Runs before a site is built: a site that cannot be shared is not.
pub(super) async fn doctor(app: &App, config: &Config) -> ExitCode {
    doctor::run(app, config).await
}

const EXPORTER: &str = include_str!("exporter.py");
