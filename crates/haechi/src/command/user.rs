//! `user`: people, from the command line. A password is read from standard input, never from the arguments,
//! which every process on the machine can see.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use clap::Subcommand;
use haechi_auth::CreateUser;

use super::Failure;
use crate::build::Built;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a person; the password is the first line of standard input
    Add {
        /// The user name
        name: String,
        /// The address for a password reset
        #[arg(long, default_value = "")]
        email: String,
        /// Whether this person may do everything
        #[arg(long)]
        superuser: bool,
    },
}

pub(super) async fn run(built: Built, command: Command) -> Result<ExitCode, Failure> {
    built.prepare().await?;
    match command {
        Command::Add { name, email, superuser } => {
            let password = password(built.site.inner.password_rules.shortest())?;
            let new = CreateUser {
                username: &haechi_auth::normalize_username(&name),
                email: &email,
                password: &password,
                is_superuser: superuser,
            };
            let user = built.site.inner.authority.create_user(new).await?;
            println!("added {} (id {})", user.username, user.id);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn password(minimum: usize) -> Result<String, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("password ({minimum} characters at least; it is shown as you type):");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.chars().count() < minimum {
        return Err(format!("the password is shorter than {minimum} characters").into());
    }
    Ok(password)
}
