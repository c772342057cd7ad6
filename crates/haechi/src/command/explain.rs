//! `explain FILE:LINE`: where each expression of a template line stands, and which escaper it gets.

use std::process::ExitCode;

use super::Failure;
use crate::build::Built;

pub(super) fn run(built: &Built, place: &str) -> Result<ExitCode, Failure> {
    let (name, line) = match place.rsplit_once(':') {
        Some((name, line)) => (name, Some(line.parse::<usize>()?)),
        None => (place, None),
    };
    let explained = built.site.templates().explain(name, line);
    if explained.is_empty() {
        return Err(format!("{place}: there is no expression here, or no such template").into());
    }
    for one in explained {
        println!("{one}");
    }
    Ok(ExitCode::SUCCESS)
}
