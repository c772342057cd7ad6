//! The application: what a program says of itself, before it is built.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use futures_util::future::BoxFuture;
use haechi_auth::UserTable;
use haechi_db::{MigrationSet, Migrations};
use haechi_guard::Csp;
use haechi_server::Stream;
use haechi_template::value::FunctionArgs;
use haechi_template::{Builder, Function};
use std::sync::Arc;

use crate::csp::Widen;
use crate::danger::WithoutCsrf;
use crate::gate::Gate;
use crate::policy::Policy;
use crate::route_matcher::Pattern;
use crate::route_table::{Route, routes};
use crate::users::Users;
use crate::{Accounts, Embedded, Result, SafePath, Site, command};

/// A raw socket service.
pub(crate) type SocketService = Arc<dyn Fn(Stream) -> BoxFuture<'static, io::Result<()>> + Send + Sync>;

/// What a command of the application does.
/// Adds a function to the templates.
pub(crate) type AddFunction = Box<dyn FnOnce(Builder) -> Builder + Send>;

pub(crate) type OwnCommand = Box<dyn FnOnce(Site) -> BoxFuture<'static, Result<()>> + Send>;

/// An application: its pages, its routes under their policies, its socket services.
///
/// # Examples
///
/// ```no_run
/// use axum::Router;
/// use axum::routing::get;
/// use haechi::{App, CurrentUser};
///
/// async fn home() -> &'static str {
///     "anybody"
/// }
///
/// async fn mine(user: CurrentUser) -> String {
///     user.username.clone()
/// }
///
/// fn main() -> std::process::ExitCode {
///     App::new("hello")
///         .public(Router::new().route("/", get(home)))
///         .signed_in(Router::new().route("/mine", get(mine)))
///         .main()
/// }
/// ```
#[must_use = "an application does nothing until main is called"]
pub struct App {
    pub(crate) name: &'static str,
    pub(crate) templates: Vec<Embedded>,
    pub(crate) functions: Vec<AddFunction>,
    pub(crate) static_files: Vec<Embedded>,
    pub(crate) migrations: Migrations,
    pub(crate) translations: Vec<(&'static str, &'static str)>,
    pub(crate) router: Router,
    pub(crate) routes: Vec<Route>,
    pub(crate) without_csrf: Vec<(Pattern, &'static str)>,
    pub(crate) sockets: Vec<(&'static str, SocketService)>,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) users: Users,
    pub(crate) csp: Csp,
    pub(crate) csp_for: Vec<(&'static str, Widen)>,
    pub(crate) body_limits: Vec<(&'static str, u64)>,
    pub(crate) commands: Vec<(&'static str, &'static str, OwnCommand)>,
}

impl App {
    /// Begins an application; the name stands in the log, in file names and on the pages.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            templates: Vec::new(),
            functions: Vec::new(),
            static_files: Vec::new(),
            migrations: Migrations::new(),
            translations: Vec::new(),
            router: Router::new(),
            routes: Vec::new(),
            without_csrf: Vec::new(),
            sockets: Vec::new(),
            accounts: None,
            users: Users::django(),
            csp: Csp::strict(),
            csp_for: Vec::new(),
            body_limits: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// Adds a folder of templates; each is analysed when the program starts.
    pub fn templates(mut self, folder: Embedded) -> Self {
        self.templates.push(folder);
        self
    }

    /// Adds a function for templates whose result is a path on this site: links and the actions of forms are made by it.
    ///
    /// ```
    /// use haechi::{App, SafePath};
    ///
    /// // <form method="post" action="{{ url(post.id) }}">
    /// let app = App::new("blog").path_function("url", |id: u32| {
    ///     SafePath::parse(&format!("/posts/{id}")).unwrap_or(SafePath::literal("/"))
    /// });
    /// # let _ = app;
    /// ```
    pub fn path_function<F, A>(mut self, name: &'static str, function: F) -> Self
    where
        F: Function<SafePath, A> + Send,
        A: for<'a> FunctionArgs<'a> + 'static,
    {
        self.functions.push(Box::new(move |builder| builder.path_function(name, function)));
        self
    }

    /// Adds a folder of files that anybody may read, below `/static/`.
    pub fn static_files(mut self, folder: Embedded) -> Self {
        self.static_files.push(folder);
        self
    }

    /// Adds the tables of the application.
    pub fn migrations<M: MigrationSet>(mut self, _: M) -> Self {
        self.migrations = self.migrations.with::<M>();
        self
    }

    /// Adds translations: a language such as `ko`, and TOML whose keys are the English texts.
    pub fn translations(mut self, language: &'static str, text: &'static str) -> Self {
        self.translations.push((language, text));
        self
    }

    /// Adds routes that anybody may reach.
    pub fn public(self, routes: impl Into<PublicRoutes>) -> Self {
        let PublicRoutes { router, without_csrf } = routes.into();
        let before = self.routes.len();
        let mut app = self.under(Policy::Public, router);
        if let Some(reason) = without_csrf {
            let paths: Vec<_> = app.routes[before..].iter().map(|route| (route.pattern(), reason)).collect();
            app.without_csrf.extend(paths);
        }
        app
    }

    /// Adds routes for whoever is signed in; anybody else is sent to the sign-in page and back.
    pub fn signed_in(self, router: Router) -> Self {
        self.under(Policy::SignedIn, router)
    }

    /// Adds routes for whoever is signed in and has a permission, `app.codename`; others get 403.
    pub fn permission(self, permission: &'static str, router: Router) -> Self {
        self.under(Policy::Permission(permission), router)
    }

    /// Adds routes for whoever gave their password within `time`, such as 15 minutes; others give it once more, and
    /// come back.
    ///
    /// # Security
    ///
    /// For what a browser that was left open, or a stolen session, must not do: change an address, delete an account.
    /// What was sent with another method than GET is not kept meanwhile; the person is told to send it again.
    pub fn recent(self, time: Duration, router: Router) -> Self {
        self.under(Policy::Recent(time), router)
    }

    fn under(mut self, policy: Policy, router: Router) -> Self {
        self.routes.extend(routes(&router, policy));
        // Not `route_layer`: it leaves out the fallbacks of nested routers and of methods, which are handlers, too.
        let router = if policy == Policy::Public { router } else { router.layer(Gate(policy)) };
        self.router = self.router.merge(router);
        self
    }

    /// Adds the pages of accounts: sign-up, sign-in, sign-out and the rest, below `/accounts/`.
    pub fn accounts(mut self, accounts: Accounts) -> Self {
        self = self.under(Policy::Public, accounts.public());
        self = self.under(Policy::SignedIn, accounts.signed_in());
        self.accounts = Some(accounts);
        self
    }

    /// Says which table the users are in, by its names; without it, Django's `auth_user`, which a fresh site gets.
    ///
    /// The table, and those between it and groups and permissions, are made by whoever makes it: a Django next door, or
    /// migrations that were added before. `serve` and `check` refuse one that is not what is said of it.
    pub fn users<T: UserTable>(mut self, _: T) -> Self {
        self.users = Users::of::<T>();
        self
    }

    /// Adds a raw stream service on the same accept loop; `[sockets.NAME]` says where it listens.
    pub fn socket<F, T>(mut self, name: &'static str, service: F) -> Self
    where
        F: Fn(Stream) -> T + Send + Sync + 'static,
        T: Future<Output = io::Result<()>> + Send + 'static,
    {
        self.sockets.push((name, Arc::new(move |stream| Box::pin(service(stream)))));
        self
    }

    /// Replaces the content security policy of every page; each widening of it names its reason.
    pub fn csp(mut self, csp: Csp) -> Self {
        self.csp = csp;
        self
    }

    /// Widens the policy for the answers of one route, named by its path pattern as it was added, `/map/{id}`.
    ///
    /// `widen` gets the policy of the site. What it adds stands in the list of `check`, with the reason given.
    ///
    /// # Security
    ///
    /// Refusals and failures of the route keep the policy of the site. A page of this site can reach into every
    /// other page of it: a script that runs here by a wider `script-src` can send requests as the visitor.
    pub fn csp_for(mut self, path: &'static str, widen: impl FnOnce(Csp) -> Csp + Send + 'static) -> Self {
        self.csp_for.push((path, Box::new(widen)));
        self
    }

    /// Sets how many bytes the body of a request to one route may have, in place of `limits.body_bytes`. The route is named
    /// by its path pattern as it was added, `/albums/{id}/pictures`.
    ///
    /// ```
    /// let app = haechi::App::new("album").body_limit("/albums/{id}/pictures", 16 * 1024 * 1024);
    /// # let _ = app;
    /// ```
    ///
    /// # Security
    ///
    /// Who may send to the route may keep that much of `limits.bodies_bytes` busy: put it behind a sign-in. `check` lists the
    /// routes that take more than the others.
    pub fn body_limit(mut self, path: &'static str, bytes: u64) -> Self {
        self.body_limits.push((path, bytes));
        self
    }

    /// Adds a command of the application's own, such as one that fills it with a little content.
    ///
    /// It runs with the tables up to date; `about` is what `--help` says of it.
    pub fn command<F, T>(mut self, name: &'static str, about: &'static str, work: F) -> Self
    where
        F: FnOnce(Site) -> T + Send + 'static,
        T: Future<Output = Result<()>> + Send + 'static,
    {
        self.commands.push((name, about, Box::new(move |site| Box::pin(work(site)))));
        self
    }

    /// Returns the routes so far, each with its policy.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Reads the command line and the configuration, and does what they say: serves the site, by default.
    pub fn main(self) -> ExitCode {
        command::run(self)
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("name", &self.name).field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// Routes that anybody may reach: a plain router, or one whose CSRF check is off in [`danger`](crate::danger).
#[derive(Debug)]
pub struct PublicRoutes {
    router: Router,
    without_csrf: Option<&'static str>,
}

impl From<Router> for PublicRoutes {
    fn from(router: Router) -> Self {
        Self { router, without_csrf: None }
    }
}

impl From<WithoutCsrf> for PublicRoutes {
    fn from(WithoutCsrf { router, reason }: WithoutCsrf) -> Self {
        Self { router, without_csrf: Some(reason) }
    }
}
