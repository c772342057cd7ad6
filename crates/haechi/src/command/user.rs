//! `user`: people, from the command line. A password is read from standard input, never from the arguments,
//! which every process on the machine can see.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use clap::Subcommand;
use haechi_auth::{About, CreateUser, Objection};

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
            let rules = &built.site.inner.password_rules;
            let password = password(rules.shortest())?;
            let username = haechi_auth::normalize_username(&name);
            let about = About { username: &username, email: &email, ..About::default() };
            if let Err(objections) = rules.check(&password, &about) {
                return Err(refusal(&objections).into());
            }
            if !email.is_empty() {
                crate::Mail::new(&email, "", "").map_err(|error| format!("--email {email:?}: {error}"))?;
            }
            let new = CreateUser {
                username: &username,
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

/// What the rules have against a password, in words.
fn refusal(objections: &[Objection]) -> String {
    let reasons: Vec<&str> = objections
        .iter()
        .map(|objection| match objection {
            Objection::TooShort { .. } => "too short",
            Objection::TooLong => "too long",
            Objection::Common => "one of the most common",
            Objection::Numeric => "all digits",
            _ => "too close to the name, the address or the site",
        })
        .collect();
    format!("the password is {}: take a few words that belong to nobody", reasons.join(", "))
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
