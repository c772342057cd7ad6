//! From an application and its configuration to a site that can serve.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use haechi_auth::hash::Hashers;
use haechi_auth::{Authority, PasswordRules, UserTables};
use haechi_core::{Clock, KeyRing, SecureCookie, SystemClock};
use haechi_db::{DatabaseUrl, Db, Migrations, Options, Planned};
use haechi_guard::{Csp, Csrf, Host, Origin, Proxies};
use haechi_session::{CookieStore, DatabaseStore, SessionTables, Sessions};
use http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::body_limits::BodyLimits;
use crate::body_memory::BodyMemory;
use crate::config::{self, Config, Mode, SessionPlace};
use crate::csp::RoutePolicies;
use crate::csrf_exempt::CsrfExempt;
use crate::django::{self, Neighbour, Transport};
use crate::framing::Framing;
use crate::language::Catalogue;
use crate::route_matcher::{Pattern, RouteMatcher};
use crate::route_table::Route;
use crate::site::{Inner, Site};
use crate::stack::{Rules, Stack, stack};
use crate::static_files::StaticFiles;
use crate::users::Users;
use crate::{Error, Path, csp_report, templates};

/// Why an application cannot become a site: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// A host, an origin or a network in the configuration.
    #[error(transparent)]
    Name(#[from] haechi_core::Error),
    /// The templates.
    #[error("{0}")]
    Templates(#[from] haechi_template::Error),
    /// The database.
    #[error("database: {0}")]
    Database(#[from] haechi_db::Error),
    /// What is in the database stands in the way of a migration.
    #[error("database: {0}\n  {1}")]
    Content(#[source] haechi_db::Error, &'static str),
    /// The users.
    #[error("accounts: {0}")]
    Accounts(#[from] haechi_auth::Error),
    /// The Django site next door cannot be shared.
    #[error("{0}")]
    Django(django::Faults),
    /// The rules of the place where it should run.
    #[error("{0}")]
    Unsafe(String),
}

/// Whether an address of the configuration can be reached from this machine only.
fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let named = host == "localhost" || host.ends_with(".localhost");
    named || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Tells whether this is a developer's machine; see [`Mode::Auto`].
pub(crate) fn is_development(config: &Config) -> bool {
    match config.mode {
        Mode::Development => true,
        Mode::Production => false,
        Mode::Auto => {
            config.bind.iter().all(|address| is_loopback(address))
                && config.tls.certificate.is_none()
                && config.allowed_hosts.is_empty()
                && config.trusted_proxies.is_empty()
        }
    }
}

/// Refuses a place where the defences could not hold.
fn refuse_unsafe(config: &Config, development: bool) -> Result<(), BuildError> {
    let refuse = |text: &str| Err(BuildError::Unsafe(text.to_owned()));
    let reachable = config.bind.iter().any(|address| !is_loopback(address) && !address.starts_with("unix:"));
    let tls = config.tls.certificate.is_some() || config.tls.development;
    if development && reachable {
        return refuse(
            "development mode answers on loopback addresses only: its cookies travel without Secure; \
             bind to localhost, or set mode = \"production\"",
        );
    }
    if !development && config.allowed_hosts.is_empty() {
        return refuse(
            "allowed_hosts is empty: name the hosts of the site, as in allowed_hosts = [\"example.org\"]",
        );
    }
    let proxied = !config.trusted_proxies.is_empty();
    if !development && reachable && !tls && !proxied && config.plain_http_reason.is_none() {
        return refuse(
            "the site would speak plain HTTP on a public address: set tls.certificate and tls.key, or name the \
             proxy that speaks TLS in trusted_proxies, or say in plain_http_reason why plain HTTP is acceptable",
        );
    }
    let on_socket = config.bind.iter().any(|address| address.starts_with("unix:"));
    if !development && on_socket && !proxied && config.plain_http_reason.is_none() {
        return refuse(
            "the site listens on a Unix socket and believes nobody about its visitors, so that all of them were one and \
             every form were of another site: if a proxy stands in front of the socket, set trusted_proxies = [\"unix\"]",
        );
    }
    if config.tls.certificate.is_some() != config.tls.key.is_some() {
        return refuse("tls.certificate and tls.key belong together: set both");
    }
    if config.django.is_some() && config.secret_key.is_some() {
        return refuse(
            "secret_key stands beside [django] secret_key: a shared site signs with the keys of the Django site alone; \
             take secret_key out",
        );
    }
    Ok(())
}

/// Everything of an application that is ready before it serves.
pub(crate) struct Built {
    pub(crate) site: Site,
    pub(crate) stack: Stack,
    pub(crate) migrations: Migrations,
    pub(crate) app: App,
    /// The routes whose content security policy is wider than that of the site.
    pub(crate) widened: Vec<(&'static str, Csp)>,
}

impl Built {
    /// Refuses a table of users that is not what the application says of it: every page would fail at its first user.
    pub(crate) async fn refuse_misfits(&self) -> Result<(), BuildError> {
        let lines = (self.app.users.misfits)(self.site.db().clone()).await?;
        if lines.is_empty() {
            return Ok(());
        }
        Err(BuildError::Unsafe(format!(
            "the table of users is not what UserTable says:\n  {}",
            lines.join("\n  ")
        )))
    }

    /// Brings the tables up to date. Beside a Django its own are compared and left alone; only ours are made.
    pub(crate) async fn prepare(&self) -> Result<(), BuildError> {
        if self.site.is_shared() && !self.app.users.named {
            self.migrations.adopt_django(self.site.db(), UserTables::OF_DJANGO).await?;
        }
        self.apply().await.map(drop)
    }

    /// Applies the migrations that are pending.
    pub(crate) async fn apply(&self) -> Result<Vec<Planned>, BuildError> {
        self.migrations.apply(self.site.db()).await.map_err(|error| match UserTables::cure(&error) {
            Some(cure) => BuildError::Content(error, cure),
            None => error.into(),
        })
    }
}

/// Returns the Django site that the configuration names.
pub(crate) fn neighbour(config: &Config) -> Option<Result<Neighbour, django::Faults>> {
    let development = is_development(config);
    let transport = if in_clear(config, development) { Transport::Plain } else { Transport::Tls };
    config.django.as_ref().map(|settings| Neighbour::read(settings, transport, development))
}

/// Whether people reach a shared site without TLS.
///
/// A site on loopback addresses without TLS and without a proxy that it knows is in clear as well: a request that a
/// proxy hands on from TLS would be refused for its `Origin`.
fn in_clear(config: &Config, development: bool) -> bool {
    let tls = config.tls.certificate.is_some() || config.tls.development;
    let here = config.bind.iter().all(|address| is_loopback(address));
    development || !tls && (config.plain_http_reason.is_some() || here && config.trusted_proxies.is_empty())
}

impl App {
    /// Builds the site: reads keys, opens the database, analyses the templates.
    ///
    /// The tables are brought up to date in development; elsewhere pending migrations are an error.
    ///
    /// # Errors
    ///
    /// The first thing that cannot be right, with its cure.
    pub(crate) async fn build(mut self, mut config: Config) -> Result<Built, BuildError> {
        let development = is_development(&config);
        refuse_unsafe(&config, development)?;
        let neighbour = neighbour(&config).transpose().map_err(BuildError::Django)?;
        let form_field = if neighbour.is_some() { django::FORM_FIELD } else { "csrf_token" };
        if neighbour.is_some() {
            config.limits.body_bytes = config.limits.body_bytes.max(django::BODY_BYTES);
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let catalogue = Catalogue::new(&self.translations)?;
        let static_files = StaticFiles::new(std::mem::take(&mut self.static_files));
        let functions = std::mem::take(&mut self.functions);
        let templates =
            templates::load(&self.templates, development, &static_files, &catalogue, functions, form_field)?;
        let db = database(&config, self.name).await?;
        let migrations = self.all_migrations();
        let loopback =
            development || (config.plain_http_reason.is_some() && config.tls.certificate.is_none());
        let People { keys, authority, sessions } =
            people(neighbour.as_ref(), &self.users, &db, &config, loopback)?;
        let csrf = csrf(&config)?;
        let csp = with_reports(self.csp.clone(), development);
        let widened = self.widened(&csp)?;
        let (policies, matcher) = (RoutePolicies::new(&widened), self.matcher()?);
        let rules = rules(&config, development, csrf.clone(), csp, &widened, &matcher)?;
        let site = Site {
            inner: Arc::new(Inner {
                name: self.name,
                development,
                loopback,
                accounts: self.accounts.unwrap_or_default(),
                keys,
                clock,
                templates,
                // A page under development may begin to ask at any moment.
                asks_permissions: development || templates::ask_permissions(&self.templates),
                static_files,
                catalogue,
                sessions,
                db,
                authority,
                password_rules: PasswordRules::default()
                    .minimum(config.accounts.minimum_password)
                    .validators(&config.accounts.validators)
                    .context(self.name),
                form_cookie: form_cookie(loopback),
                device_cookie: device_cookie(loopback),
                csrf_exempt: self.csrf_exempt(&matcher),
                csrf,
                bodies: BodyMemory::new(config.limits.bodies_bytes),
                body_limits: self.limits(&config, &matcher)?,
                uploads: crate::Uploads::new(&config.data),
                mailer: crate::Mailer::open(config.mail.expose(), &config.mail_from)?,
                config,
                neighbour,
            }),
        };
        let router = router(std::mem::take(&mut self.router), policies);
        let stack = stack(site.clone(), rules, router);
        Ok(Built { site, stack, migrations, app: self, widened })
    }

    /// Returns the migrations of the application and of its parts.
    pub(crate) fn all_migrations(&self) -> Migrations {
        (self.users.migrations)(self.migrations.clone().with::<SessionTables>())
    }

    /// Returns what finds the route of a path, also of those that every site has.
    fn matcher(&self) -> Result<RouteMatcher, BuildError> {
        let own =
            [csp_report::PATH, STATIC].map(|path| Pattern { path: path.to_owned(), is_fallback: false });
        RouteMatcher::new(self.routes.iter().map(Route::pattern).chain(own))
    }

    fn csrf_exempt(&self, matcher: &RouteMatcher) -> CsrfExempt {
        let mut exempt = self.without_csrf.clone();
        let reports = Pattern { path: csp_report::PATH.to_owned(), is_fallback: false };
        exempt.push((reports, csp_report::WITHOUT_CSRF));
        CsrfExempt::new(matcher.clone(), exempt)
    }

    /// Returns how large a body may be; a limit for a route that is not there would leave the one that was meant without.
    fn limits(&self, config: &Config, matcher: &RouteMatcher) -> Result<BodyLimits, BuildError> {
        self.refuse_unknown_or_doubled("body_limit", self.body_limits.iter().map(|(path, _)| *path))?;
        Ok(BodyLimits::new(config.limits.body_bytes, self.body_limits.clone(), matcher.clone()))
    }

    /// Returns the wider policy of each route that has one.
    fn widened(&mut self, csp: &Csp) -> Result<Vec<(&'static str, Csp)>, BuildError> {
        self.refuse_unknown_or_doubled("csp_for", self.csp_for.iter().map(|(path, _)| *path))?;
        let widened = std::mem::take(&mut self.csp_for).into_iter();
        Ok(widened.map(|(path, widen)| (path, widen(csp.clone()))).collect())
    }

    /// Refuses what `setting` says of a route that is not there, or of one twice.
    fn refuse_unknown_or_doubled(
        &self,
        setting: &str,
        paths: impl Iterator<Item = &'static str>,
    ) -> Result<(), BuildError> {
        let mut known = BTreeSet::new();
        for path in paths {
            let wrong = match (self.routes.iter().any(|route| route.path == path), known.insert(path)) {
                (false, _) => ", which does not exist; `routes` lists them",
                (true, false) => " twice; name it in one place",
                (true, true) => continue,
            };
            return Err(BuildError::Unsafe(format!("{setting} names the route {path}{wrong}")));
        }
        Ok(())
    }
}

/// What knows people: by keys of ours, or by those of the Django site next door.
struct People {
    keys: KeyRing,
    authority: Authority,
    sessions: Sessions,
}

fn people(
    neighbour: Option<&Neighbour>,
    users: &Users,
    db: &Db,
    config: &Config,
    loopback: bool,
) -> Result<People, BuildError> {
    if let Some(neighbour) = neighbour {
        let (authority, sessions) = (neighbour.authority(db, users)?, neighbour.sessions(db));
        return Ok(People { keys: neighbour.keys.clone(), authority, sessions });
    }
    let keys = config::secret_key(config)?;
    let authority = (users.authority)(db, keys.clone(), Hashers::default())?;
    let sessions = sessions(db, config, &keys, loopback);
    Ok(People { keys, authority, sessions })
}

fn csrf(config: &Config) -> Result<Csrf, haechi_core::Error> {
    config
        .trusted_origins
        .iter()
        .try_fold(Csrf::new(), |csrf, origin| Ok(csrf.trust(haechi_core::Origin::parse(origin)?)))
}

/// Adds the address for reports, unless the application has one of its own.
fn with_reports(csp: Csp, development: bool) -> Csp {
    match (csp.reports(), development) {
        (true, _) => csp,
        (false, true) => csp.report_to_without_tls(csp_report::PATH),
        (false, false) => csp.report_to(csp_report::PATH),
    }
}

fn rules(
    config: &Config,
    development: bool,
    csrf: Csrf,
    csp: Csp,
    widened: &[(&'static str, Csp)],
    matcher: &RouteMatcher,
) -> Result<Rules, haechi_core::Error> {
    let host = match config.allowed_hosts.is_empty() {
        true => Host::loopback(),
        false => Host::new(&config.allowed_hosts)?,
    };
    let origin = config.trusted_origins.iter().try_fold(Origin::new(), |guard, origin| {
        Ok::<_, haechi_core::Error>(guard.trust(haechi_core::Origin::parse(origin)?))
    })?;
    // A developer's machine has no TLS, and a site that names its reason for plain HTTP has decided.
    let origin = match development || config.plain_http_reason.is_some() {
        true => origin,
        false => origin.upgrades_by_tls(),
    };
    let host = if development { host.and_loopback() } else { host };
    let mut proxies = Proxies::new(config.proxy_networks())?;
    if !config.trusted_proxies.is_empty() && config.bind.iter().any(|address| address.starts_with("unix:")) {
        proxies = proxies.and_unix_socket();
    }
    let origin = Framing::new(origin, &csp, widened, matcher.clone());
    Ok(Rules { proxies, host, origin, csrf, csp })
}

pub(crate) async fn database(config: &Config, name: &str) -> Result<Db, BuildError> {
    let url = match &config.database.url {
        Some(url) => url.expose().parse()?,
        None => {
            config::private_folder(&config.data)?;
            DatabaseUrl::file(config.data.join(format!("{name}.db")))
        }
    };
    Ok(Db::connect(&url, Options::default()).await?)
}

fn sessions(db: &Db, config: &Config, keys: &KeyRing, loopback: bool) -> Sessions {
    let limits = haechi_session::Limits {
        idle: config.session.idle,
        absolute: config.session.absolute,
        remembered_idle: config.session.remembered_idle,
        remembered_absolute: config.session.remembered_absolute,
        ..haechi_session::Limits::default()
    };
    let cookie = cookie("session", loopback);
    let sessions = match config.session.store {
        SessionPlace::Database => Sessions::new(DatabaseStore::new(db.clone())),
        SessionPlace::Cookie => Sessions::in_cookie(CookieStore::new(keys.clone())),
    };
    sessions.limits(limits).cookie(cookie)
}

fn form_cookie(loopback: bool) -> SecureCookie {
    cookie("form", loopback).max_age(Some(Duration::from_secs(365 * 86_400)))
}

/// The most that browsers keep a cookie.
fn device_cookie(loopback: bool) -> SecureCookie {
    cookie("device", loopback).max_age(Some(Duration::from_secs(400 * 86_400)))
}

fn cookie(name: &str, loopback: bool) -> SecureCookie {
    let cookie = SecureCookie::new(name).expect("the names of our cookies are valid");
    if loopback { cookie.on_loopback() } else { cookie }
}

/// The application's router with what every site has: its static files, and a page for what is not there.
fn router(routes: Router, policies: RoutePolicies) -> Router {
    async fn file(
        site: Site,
        Path(name): Path<String>,
        axum::extract::RawQuery(query): axum::extract::RawQuery,
        headers: HeaderMap,
    ) -> crate::Result<axum::response::Response> {
        site.inner.static_files.answer(&name, query.as_deref(), &headers)
    }
    let routes = if policies.is_empty() { routes } else { routes.route_layer(policies) };
    routes
        .route(STATIC, get(file))
        // The limits are ours, by route; what a route sets for itself with this layer holds besides.
        .layer(axum::extract::DefaultBodyLimit::disable())
        .fallback(|| async { Error::not_found() })
        .method_not_allowed_fallback(|| async {
            Error::from(haechi_core::Denial::new(StatusCode::METHOD_NOT_ALLOWED, "route", "method"))
        })
}

const STATIC: &str = "/static/{*name}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_developers_machine() {
        #[track_caller]
        fn check(address: &str, expected: bool) {
            assert_eq!(is_loopback(address), expected, "{address}");
        }
        check("localhost:8888", true);
        check("127.0.0.1:80", true);
        check("[::1]:80", true);
        check("[::ffff:127.0.0.1]:80", true);
        check("0.0.0.0:80", false);
        check("[::]:80", false);
        check("example.org:80", false);
        check("localhost.example.org:80", false);
        check("systemd", false);
    }

    #[test]
    fn a_place_where_the_defences_could_not_hold_is_refused() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Config), expected: Option<&str>) {
            let mut config = Config::default();
            change(&mut config);
            let refused =
                refuse_unsafe(&config, is_development(&config)).err().map(|error| error.to_string());
            match (&refused, expected) {
                (None, None) => {}
                (Some(text), Some(part)) => assert!(text.contains(part), "{text}"),
                _ => panic!("{refused:?}"),
            }
        }
        let public = |config: &mut Config| {
            config.bind = vec!["0.0.0.0:443".to_owned()];
            config.allowed_hosts = vec!["example.org".to_owned()];
        };
        check(|_| {}, None);
        let two_keys = "secret_key = \"x\"\n[django]\nsecret_key = \"y\"\nversion = \"5.2.19\"";
        check(|config| *config = toml::from_str(two_keys).unwrap(), Some("take secret_key out"));
        check(|config| config.bind = vec!["0.0.0.0:80".to_owned()], Some("allowed_hosts"));
        check(public, Some("plain HTTP"));
        check(
            |config| {
                public(config);
                config.trusted_proxies = vec!["10.0.0.1".to_owned()];
            },
            None,
        );
        check(
            |config| {
                public(config);
                config.mode = Mode::Development;
            },
            Some("loopback addresses only"),
        );
        check(|config| config.tls.key = Some("key.pem".into()), Some("belong together"));
        let socket = |proxies: &'static [&str]| {
            move |config: &mut Config| {
                public(config);
                config.bind = vec!["unix:site.sock".to_owned()];
                config.trusted_proxies = proxies.iter().map(|&proxy| proxy.to_owned()).collect();
            }
        };
        check(socket(&[]), Some("trusted_proxies = [\"unix\"]"));
        check(socket(&["unix"]), None);
        // A proxy that speaks TCP to one listener and stands in front of the other.
        check(socket(&["10.0.0.1"]), None);
        let alone = |config: &mut Config| {
            socket(&[])(config);
            config.plain_http_reason = Some("a test speaks to the socket itself".to_owned());
        };
        check(alone, None);
    }
}
