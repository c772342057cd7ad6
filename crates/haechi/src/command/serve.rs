//! `serve`: the site on its addresses, and the socket services on theirs.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use haechi_auth::Throttle;
use haechi_core::{Denial, DenialFormat, RequestId, Seal};
use haechi_server::http::{Http, HttpsRedirect, Refusal};
use haechi_server::{Certificate, Listener, ListenerOptions, LocalAddress, Runtime, Server};
use http::{HeaderMap, Response};

use super::Failure;
use crate::Site;
use crate::build::Built;
use crate::config::Config;

pub(super) async fn run(built: Built, runtime: Runtime) -> Result<ExitCode, Failure> {
    ready(&built).await?;
    let config = built.site.config();
    let certificate = certificate(config)?;
    let seal = haechi_guard::Headers::default().seal(&haechi_guard::Csp::strict());
    // The stack refuses what announces too much: `BodyLimit`.
    let http = Http::new(built.stack.clone()).leave_announced(true);
    let http = http.body_ceiling(built.site.inner.body_limits.highest());
    let http = http.render(move |refusal| render(&seal, refusal));
    let mut server = Server::new().limits(config.limits.server()).runtime(runtime);
    let mut shown = Vec::new();
    for address in &config.bind {
        let mut listener = listener(config, address, runtime)?;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        shown.extend(listener.local_addresses().iter().map(|local| url(scheme, address, local)));
        if let Some(certificate) = &certificate {
            let redirect = config.tls.redirect.then(|| redirect(&listener)).flatten();
            listener = listener.tls(certificate.clone());
            if let Some(redirect) = redirect {
                listener = listener.on_plain(Http::new(redirect));
            }
        }
        server = server.listen(listener, http.clone());
    }
    for (name, service) in &built.app.sockets {
        let Some(socket) = config.sockets.get(*name) else {
            eprintln!("  socket \"{name}\" is not bound; set [sockets.{name}] bind = [\"localhost:PORT\"]");
            continue;
        };
        for address in &socket.bind {
            let mut listener = listener(config, address, runtime)?;
            if let (true, Some(certificate)) = (socket.tls, &certificate) {
                listener = listener.tls(certificate.clone());
            }
            let service = service.clone();
            server = server.listen(listener, move |stream| service(stream));
        }
    }
    let sweeping = tokio::spawn(sweep(built.site.clone()));
    let pid_file = config.pid_file.as_deref().map(PidFile::write).transpose()?;
    greet(&built, &shown);
    let drained = server.run().await?;
    sweeping.abort();
    // Mail that is still queued belongs to requests that were answered.
    if tokio::time::timeout(config.limits.drain, built.site.mailer().flush()).await.is_err() {
        tracing::warn!(target: "haechi", "mail was still queued when the server ended");
    }
    drop(pid_file);
    tracing::info!(target: "haechi", ?drained, "stopped");
    Ok(ExitCode::SUCCESS)
}

/// Brings the tables up to date on a developer's machine, and makes our own beside those of a Django; elsewhere refuses to serve with pending migrations.
async fn ready(built: &Built) -> Result<(), Failure> {
    let (db, migrations) = (built.site.db(), &built.migrations);
    if let Some(warning) = crate::mail::warning(built) {
        tracing::warn!(target: "haechi", "{warning}");
    }
    if let Some(neighbour) = &built.site.inner.neighbour {
        for warning in &neighbour.warnings {
            tracing::warn!(target: "haechi", "{warning}");
        }
    }
    if built.site.is_development() || built.site.is_shared() {
        built.prepare().await?;
    } else if let Some(pending) = migrations.pending(db).await?.first() {
        let place = format!("{}/{}", pending.app, pending.name);
        return Err(format!("migration {place} is pending: run the command migrate first").into());
    }
    if built.app.users.named {
        built.refuse_misfits().await?;
    }
    Ok(())
}

/// Removes the sessions and the counters that ended by themselves, once an hour; what a stranger can make grow does not stay.
async fn sweep(site: Site) {
    let mut hours = tokio::time::interval(SWEEP);
    loop {
        hours.tick().await;
        // Those of a Django are its own to remove.
        if !site.is_shared()
            && let Err(error) = site.sessions().sweep().await
        {
            tracing::warn!(target: "haechi", %error, "sessions that ended were not removed");
        }
        if let Err(error) = Throttle::new(site.db().clone()).sweep().await {
            tracing::warn!(target: "haechi", %error, "counters that ended were not removed");
        }
    }
}

fn listener(config: &Config, address: &str, runtime: Runtime) -> Result<Listener, Failure> {
    let options = ListenerOptions { reuse_port: runtime == Runtime::PerCore, ..ListenerOptions::default() };
    let listener = options.bind(address)?;
    if !config.proxy_protocol {
        return Ok(listener);
    }
    let proxies: Vec<haechi_server::Network> =
        config.proxy_networks().map(str::parse).collect::<Result<_, _>>()?;
    Ok(listener.proxies(proxies))
}

fn certificate(config: &Config) -> Result<Option<Certificate>, Failure> {
    Ok(match (&config.tls.certificate, &config.tls.key) {
        (Some(chain), Some(key)) => Some(Certificate::files(chain, key)?),
        _ if config.tls.development => Some(Certificate::development(config.data.join("localhost.pem"))?),
        _ => None,
    })
}

fn redirect(listener: &Listener) -> Option<HttpsRedirect> {
    listener.local_addresses().iter().find_map(|local| match local {
        LocalAddress::Tcp(address) => Some(HttpsRedirect::to_port(address.port())),
        _ => None,
    })
}

/// What a person types into a browser; `localhost` stays what it is called.
fn url(scheme: &str, asked: &str, local: &LocalAddress) -> String {
    match local {
        LocalAddress::Tcp(address) if asked.starts_with("localhost:") => {
            format!("{scheme}://localhost:{}", address.port())
        }
        LocalAddress::Tcp(address) => format!("{scheme}://{address}"),
        other => other.to_string(),
    }
}

/// Renders what the server refuses before the stack sees it, in the words of every other refusal.
fn render(seal: &Seal, refusal: Refusal) -> Response<bytes::Bytes> {
    let id = RequestId::generate();
    let denial = Denial::new(refusal.status(), "server", refusal.reason()).close();
    tracing::warn!(target: "haechi::denial", guard = "server", reason = refusal.reason(), request = %id, "request refused");
    let mut response = denial.response(DenialFormat::of(&HeaderMap::new()), http::Version::HTTP_11, id);
    seal.cover(&mut response, haechi_core::Scheme::Http, id);
    response
}

fn greet(built: &Built, addresses: &[String]) {
    let mut addresses = addresses.to_vec();
    addresses.dedup();
    let mode = if built.site.is_development() { "development" } else { "production" };
    eprintln!("\n  {} · haechi {} · {mode}\n", built.site.name(), env!("CARGO_PKG_VERSION"));
    for address in &addresses {
        eprintln!("  {address}");
    }
    if built.site.is_development() && built.app.accounts.is_some() {
        eprintln!("\n  next: open it and sign up, or add yourself:  … user add NAME --superuser");
        let own: String = built.app.commands.iter().map(|(name, ..)| format!(", {name}")).collect();
        eprintln!("        the commands: serve, check, routes, migrate, user, key, explain{own}");
    }
    eprintln!("        Ctrl-C finishes what is being answered, then stops\n");
}

const SWEEP: Duration = Duration::from_secs(3_600);

/// A file that holds the process id for as long as the server runs.
struct PidFile<'a>(&'a Path);

impl<'a> PidFile<'a> {
    fn write(path: &'a Path) -> Result<Self, Failure> {
        let id = std::process::id();
        std::fs::write(path, format!("{id}\n")).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for PidFile<'_> {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(self.0) {
            tracing::warn!(target: "haechi", %error, "the pid file could not be removed");
        }
    }
}
