//! `check`: everything that can be found wrong before the first request.

use std::process::ExitCode;

use super::Failure;
use crate::build::Built;

pub(super) async fn run(built: Built) -> Result<ExitCode, Failure> {
    let site = &built.site;
    let mut wrong = 0;
    println!("configuration, keys and templates are in order");
    for (path, reason) in site.inner.csrf_exempt.iter() {
        println!("note     {path} has no CSRF check: {reason}");
    }
    for widening in built.app.csp.widenings() {
        println!("note     the content security policy is wider than strict: {widening:?}");
    }
    for place in site.templates().trust_sites() {
        println!("note     {place}");
    }
    for warning in site.templates().warnings() {
        println!("warning  {warning}");
    }
    for warning in site.db().role_warnings().await? {
        println!("warning  {warning}");
    }
    let pending = built.migrations.pending(site.db()).await?;
    for one in &pending {
        println!("error    migration {}/{} is pending; run the command migrate", one.app, one.name);
        wrong += 1;
    }
    if pending.is_empty() {
        // The store of a Django next door reads tables that only a shared database has.
        let alone = site.config().django.is_none();
        let misfits = site.db().check_statements().await?.into_iter();
        for misfit in
            misfits.filter(|misfit| !(alone && misfit.site.file.ends_with("haechi-session/src/django.rs")))
        {
            println!("error    {misfit}");
            wrong += 1;
        }
    }
    for route in built.app.routes().iter().filter(|route| route.methods == ["ANY"]) {
        println!("warning  {} takes every method; name the ones that it means", route.path);
    }
    println!("{wrong} errors");
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
