//! A real Django 5.2, for tests that need one.

use std::path::PathBuf;
use std::process::Command;

/// Runs Python with these arguments, or returns `None` with a printed line where there is no Python with Django.
///
/// `HAECHI_TEST_PYTHON` names the interpreter; without it, the virtual environment `target/django-venv` is tried.
pub(crate) fn python(arguments: &[&str]) -> Option<String> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/django-venv/bin/python");
    let interpreter = std::env::var_os("HAECHI_TEST_PYTHON").map_or_else(beside, PathBuf::from);
    let output = Command::new(interpreter).arg("-B").args(arguments).output();
    let required = std::env::var_os("HAECHI_REQUIRE_ALL").is_some();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8(output.stdout).unwrap()),
        Ok(output)
            if required || !String::from_utf8_lossy(&output.stderr).contains("ModuleNotFoundError") =>
        {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ if required => {
            panic!("Django is required: pip install \"django==5.2.*\" argon2-cffi bcrypt psycopg[binary]")
        }
        _ => {
            println!("skipped: no Python with Django 5.2 in target/django-venv");
            None
        }
    }
}
