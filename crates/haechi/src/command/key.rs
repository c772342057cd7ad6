//! `key`: secret keys.

use std::process::ExitCode;

use clap::Subcommand;
use haechi_core::SecretKey;

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Command {
    /// Print a fresh secret key, for the setting `secret_key`
    New,
}

pub(super) fn run(command: &Command) -> ExitCode {
    match command {
        Command::New => println!("{}", SecretKey::generate().expose()),
    }
    ExitCode::SUCCESS
}
