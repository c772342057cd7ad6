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
        println!("note     the content security policy allows {}: {}", widening.what, widening.reason);
    }
    for line in route_widenings(&built) {
        println!("note     {line}");
    }
    for (path, most) in site.inner.body_limits.wider() {
        println!("note     {path} takes bodies of {most} bytes");
    }
    for place in site.templates().trust_sites() {
        println!("note     {place}");
    }
    for warning in site.templates().warnings() {
        println!("warning  {warning}");
    }
    if let Some(warning) = crate::mail::warning(&built) {
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
        // The store of a Django next door reads tables that only a shared database has, and `django doctor` says itself
        // what it cannot read.
        let alone = site.config().django.is_none();
        let others = |file: &str| {
            file.ends_with("command/django/doctor.rs")
                || alone && file.ends_with("haechi-session/src/django.rs")
        };
        let misfits = site.db().check_statements().await?;
        for misfit in misfits.iter().filter(|misfit| !others(misfit.site.file)) {
            println!("error    {misfit}");
            wrong += 1;
        }
    }
    if pending.is_empty()
        && let Err(error) = built.refuse_misfits().await
    {
        println!("error    {error}");
        wrong += 1;
    }
    for route in built.app.routes().iter().filter(|route| route.methods == ["ANY"]) {
        println!("warning  {} takes every method; name the ones that it means", route.path);
    }
    println!("{wrong} errors");
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the policies of single routes allow beyond that of the site.
fn route_widenings(built: &Built) -> Vec<String> {
    let known: Vec<_> = built.app.csp.widenings().collect();
    let mut lines = Vec::new();
    for (path, csp) in &built.widened {
        let more = csp.widenings().filter(|widening| !known.contains(widening));
        lines.extend(more.map(|widening| {
            format!("the content security policy of {path} allows {}: {}", widening.what, widening.reason)
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;

    use super::*;
    use crate::csp::{Csp, Directive, Source};
    use crate::{App, Config, Secret};

    #[tokio::test]
    async fn what_a_route_allows_beyond_the_site_is_listed_with_its_reason() {
        let mut config = Config::default();
        config.database.url = Some(Secret::new("sqlite::memory:".to_owned()));
        config.secret_key = Some(Secret::new("kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E-test-only".to_owned()));
        let app = App::new("test")
            .public(Router::new().route("/map", get(|| async { "map" })))
            .csp(Csp::strict().widen(Directive::Image, Source::Data, "charts"))
            .csp_for("/map", |csp| csp.widen(Directive::Media, Source::Blob, "the voice of the map"));
        let built = app.build(config).await.unwrap();
        let expected = "the content security policy of /map allows media-src blob:: the voice of the map";
        assert_eq!(route_widenings(&built), [expected]);
    }
}
