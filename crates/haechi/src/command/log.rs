//! `log`: the security log, read by whoever has to trust it.

use std::process::ExitCode;

use clap::Subcommand;
use haechi_auth::{Broken, Verified};

use super::Failure;
use crate::build::Built;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that no row was changed, removed, added or moved; exit code 1 if one was, 2 if the log cannot be read
    Verify {
        /// The end that an earlier run printed: finds a log that was cut off as well
        #[arg(long, value_name = "ROWS:MAC")]
        since: Option<Verified>,
    },
}

pub(super) async fn run(built: Built, command: Command) -> Result<ExitCode, Failure> {
    let Command::Verify { since } = command;
    let log = built.site.inner.authority.security_log();
    let verified = match &since {
        Some(before) => log.verify_since(before).await,
        None => log.verify().await,
    };
    Ok(match verified {
        Ok(verified) => {
            println!("the security log is whole: {} rows", verified.rows);
            println!(
                "keep this where the database's administrator cannot write, and give it to --since next time:"
            );
            println!("{verified}");
            ExitCode::SUCCESS
        }
        Err(broken @ Broken::Unread(_)) => {
            eprintln!("{broken}");
            ExitCode::from(2)
        }
        Err(broken) => {
            eprintln!("{broken}");
            ExitCode::FAILURE
        }
    })
}
