//! Analyses every template of a folder and prints what is refused, and how many: `analyse FOLDER [FILTER…]`.
//!
//! The named filters are accepted as if the application had them; names that begin with `is:` are tests.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use haechi_template::{Error, Templates, value::Value};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: analyse FOLDER [FILTER…]");
        return ExitCode::FAILURE;
    };
    let mut builder = Templates::dir(folder);
    for name in arguments {
        builder = match name.strip_prefix("is:") {
            Some(test) => builder.test(test, |_: Value| true),
            None => builder.filter(&name, |value: Value| value),
        };
    }
    match builder.build() {
        Ok(templates) => {
            println!("{} pages, none refused", templates.pages().len());
            ExitCode::SUCCESS
        }
        Err(Error::Refused(problems)) => {
            let mut codes = BTreeMap::<&str, usize>::new();
            problems.iter().for_each(|problem| *codes.entry(problem.code).or_default() += 1);
            let files: BTreeSet<&str> = problems.iter().map(|problem| problem.template.as_str()).collect();
            println!("{problems}\n{codes:?}\n{} templates refused", files.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
