//! What a person may ask of an application: `serve`, `check`, `routes` and the rest.

mod check;
mod django;
mod explain;
mod key;
mod log;
mod migrate;
mod routes;
mod serve;
mod user;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::App;
use crate::build::Built;
use crate::config::Config;

/// The command line of every haechi application.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the site (what happens without a command as well)
    Serve,
    /// Look for mistakes in the configuration, the templates, the routes and the database
    Check,
    /// List every route with its methods and who may reach it
    Routes {
        /// Print JSON for a program instead of a table for a person
        #[arg(long)]
        json: bool,
    },
    /// Bring the database to the state that this version needs
    Migrate {
        /// Only tell whether something is pending; exit code 1 if so
        #[arg(long)]
        check: bool,
        /// Only list what would be done
        #[arg(long)]
        plan: bool,
        /// Take over the tables of a Django site, after comparing every column
        #[arg(long)]
        adopt_django: bool,
    },
    /// Add people and set what they may do
    User {
        #[command(subcommand)]
        command: user::Command,
    },
    /// Read the security log
    Log {
        #[command(subcommand)]
        command: log::Command,
    },
    /// Stand beside a Django site
    Django {
        #[command(subcommand)]
        command: django::Command,
    },
    /// Make a secret key
    Key {
        #[command(subcommand)]
        command: key::Command,
    },
    /// Show the context and the escaper of each expression of a template line
    Explain {
        /// The template and the line, such as `posts/show.html:12`
        place: String,
    },
}

/// Reads the command line and does what it says.
pub(crate) fn run(app: App) -> ExitCode {
    let name = app.name;
    let own = app.commands.iter().map(|(name, about, _)| clap::Command::new(*name).about(*about));
    let matches = Line::command().name(name).subcommands(own).get_matches();
    let chosen = matches
        .subcommand_name()
        .and_then(|chosen| app.commands.iter().position(|(name, _, _)| *name == chosen));
    let done = match (chosen, Line::from_arg_matches(&matches)) {
        (Some(at), _) => dispatch(app, Wish::Own(at)),
        (None, Ok(line)) => dispatch(app, Wish::Ours(line.command.unwrap_or(Command::Serve))),
        (None, Err(error)) => error.exit(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a command can fail with; printed as it stands.
type Failure = Box<dyn std::error::Error>;

/// What the command line asks for.
enum Wish {
    /// A command of every application.
    Ours(Command),
    /// A command of this one, by its place in the list.
    Own(usize),
}

fn dispatch(app: App, wish: Wish) -> Result<ExitCode, Failure> {
    match wish {
        Wish::Ours(Command::Key { command }) => return Ok(key::run(&command)),
        Wish::Ours(Command::Routes { json }) => return Ok(routes::run(&app, json)),
        Wish::Ours(Command::Django { command: django::Command::Exporter }) => return Ok(django::exporter()),
        _ => {}
    }
    let config = Config::load(std::env::vars())?;
    let development = crate::build::is_development(&config);
    crate::log::install(&config, development)?;
    let runtime = match config.runtime {
        crate::config::Runtime::MultiThread => haechi_server::Runtime::MultiThread,
        crate::config::Runtime::PerCore => haechi_server::Runtime::PerCore,
    };
    haechi_server::run(runtime, async move {
        if let Wish::Ours(Command::Django { .. }) = wish {
            return Ok(django::doctor(&app, &config).await);
        }
        let built = app.build(config).await?;
        match wish {
            Wish::Ours(command) => ours(built, command, runtime).await,
            Wish::Own(at) => own(built, at).await,
        }
    })?
}

async fn ours(built: Built, command: Command, runtime: haechi_server::Runtime) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve => serve::run(built, runtime).await,
        Command::Check => check::run(built).await,
        Command::Migrate { check, plan, adopt_django } => {
            migrate::run(built, migrate::Wish { check, plan, adopt_django }).await
        }
        Command::User { command } => user::run(built, command).await,
        Command::Log { command } => log::run(built, command).await,
        Command::Explain { place } => explain::run(&built, &place),
        // These need no site, and were done before there was one.
        Command::Key { .. } | Command::Routes { .. } | Command::Django { .. } => Ok(ExitCode::SUCCESS),
    }
}

async fn own(mut built: Built, at: usize) -> Result<ExitCode, Failure> {
    built.prepare().await?;
    let (_, _, work) = built.app.commands.swap_remove(at);
    match work(built.site).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(format!("{error:?}").into()),
    }
}
