//! A real Django in a process of its own, and a haechi site on the same database.

use std::convert::Infallible;
use std::future::Future;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use haechi::axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use haechi::{App, Config, Site, SiteService};
use haechi_test::{Answer, Client, Jar, Shot};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower_service::Service;

use crate::outbox::Outbox;

#[path = "../../examples/side_by_side.rs"]
#[expect(dead_code, reason = "the example's own main is not called here")]
mod side_by_side;

pub(crate) const KEY: &str = "a-key-that-two-sites-share-9f1c03e87b6d4a52c0fe18937ad6b45e";
pub(crate) const PASSWORD: &str = "a long walk by the river";

/// A Django site, a haechi site beside it, and one browser.
pub(crate) struct Pair {
    pub(crate) site: Site,
    pub(crate) django: Client<Process>,
    pub(crate) haechi: Client<SiteService>,
    pub(crate) jar: Jar,
    /// What haechi writes to people.
    pub(crate) outbox: Outbox,
    _guard: Guard,
}

/// One of the two sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Django,
    Haechi,
}

pub(crate) const BOTH: [Of; 2] = [Of::Django, Of::Haechi];

impl Of {
    pub(crate) fn other(self) -> Self {
        if self == Self::Django { Self::Haechi } else { Self::Django }
    }
}

/// How the two differ from their defaults: settings of Django as JSON, and lines of `[django]`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Differently<'a> {
    pub(crate) settings: &'a str,
    pub(crate) section: &'a str,
    /// The key of both, if not [`KEY`].
    pub(crate) haechi_key: Option<&'a str>,
    /// What both keep their users in, if not Django's own table.
    pub(crate) users: Option<fn(App) -> App>,
}

/// Starts a pair on each engine that there is; none where there is no Django.
pub(crate) async fn pairs(differently: Differently<'_>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    pairs.extend(Pair::start(Place::sqlite(), differently).await);
    if let Some(place) = Place::postgres() {
        pairs.extend(Pair::start(place, differently).await);
    }
    pairs
}

/// Starts a pair on SQLite.
pub(crate) async fn pair(differently: Differently<'_>) -> Option<Pair> {
    Pair::start(Place::sqlite(), differently).await
}

/// A database of one test.
struct Place {
    url: String,
    django: Value,
    end: End,
}

enum End {
    File(PathBuf),
    Database { server: String, name: String },
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Place {
    fn sqlite() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("haechi-pair-{}-{number}.db", std::process::id()));
        let url = format!("sqlite:{}", file.display());
        let django =
            json!({ "ENGINE": "django.db.backends.sqlite3", "NAME": file, "OPTIONS": { "timeout": 20 } });
        Self { url, django, end: End::File(file) }
    }

    /// A database of its own on the server that `HAECHI_TEST_POSTGRES` names.
    fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("HAECHI_TEST_POSTGRES") else {
            assert!(!required(), "PostgreSQL is required: set HAECHI_TEST_POSTGRES");
            println!("skipped on PostgreSQL: HAECHI_TEST_POSTGRES is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("haechi_pair_{}_{number}", std::process::id());
        psql(&server, &format!("create database {name}"));
        let (base, _) = server.rsplit_once('/').expect("the address names a database");
        let (_, rest) = base.split_once("://").expect("the address is one");
        let (user, host) = rest.split_once('@').unwrap_or(("postgres", rest));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = host.split_once(':').unwrap_or((host, "5432"));
        let django = json!({
            "ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": user, "PASSWORD": password,
            "HOST": host, "PORT": port,
        });
        Some(Self { url: format!("{base}/{name}"), django, end: End::Database { server, name } })
    }
}

fn psql(server: &str, statement: &str) {
    let output = Command::new("psql").args([server, "-qc", statement]).output().expect("psql is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Ends the process, and removes what it left.
struct Guard {
    child: Child,
    end: End,
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        match &self.end {
            End::File(file) => {
                for ending in ["", "-wal", "-shm"] {
                    drop(std::fs::remove_file(format!("{}{ending}", file.display())));
                }
            }
            End::Database { server, name } => {
                psql(server, &format!("drop database {name} with (force)"));
            }
        }
    }
}

fn required() -> bool {
    std::env::var_os("HAECHI_REQUIRE_ALL").is_some()
}

impl Pair {
    async fn start(place: Place, differently: Differently<'_>) -> Option<Self> {
        let (port, version, guard) = process(place.end, &place.django, differently.settings)?;
        let key = differently.haechi_key.unwrap_or(KEY);
        let outbox = Outbox::new(&format!("pair-{port}"));
        let text = format!(
            "mode = 'development'\nmail = 'file:{}'\n[database]\nurl = '{}'\n[limits]\nrequests_per_minute = 100000\n\
             [django]\nsecret_key = '{key}'\nversion = '{version}'\npbkdf2_iterations = 20000\n{}",
            outbox.0.display(),
            place.url,
            differently.section
        );
        let config = Config::parse(&text, &std::collections::BTreeMap::new()).unwrap();
        let app = differently.users.unwrap_or(|app| app)(side_by_side::app());
        let (site, service) = app.into_service(config).await.unwrap();
        let django = Client::new(Process { port }, "http://localhost");
        let haechi = Client::new(service, "http://localhost");
        Some(Self { site, django, haechi, jar: Jar::default(), outbox, _guard: guard })
    }

    /// Forgets every cookie: another browser.
    pub(crate) fn new_browser(&mut self) {
        self.jar.clear();
    }

    /// Sends a request to one of the two, with the cookies of the one browser.
    pub(crate) async fn send(&mut self, to: Of, shot: Shot) -> Answer {
        match to {
            Of::Django => {
                *self.django.jar() = self.jar.clone();
                let answer = self.django.request(shot).await;
                self.jar = self.django.jar().clone();
                answer
            }
            Of::Haechi => {
                *self.haechi.jar() = self.jar.clone();
                let answer = self.haechi.request(shot).await;
                self.jar = self.haechi.jar().clone();
                answer
            }
        }
    }

    pub(crate) async fn get(&mut self, of: Of, path: &str) -> Answer {
        self.send(of, Shot::new("GET", path)).await
    }

    pub(crate) async fn json(&mut self, of: Of, path: &str) -> Value {
        let answer = self.get(of, path).await;
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{path}: {}", answer.text()))
    }

    pub(crate) async fn token(&mut self, of: Of) -> String {
        self.json(of, "/csrf-token").await["csrftoken"].as_str().unwrap().to_owned()
    }

    /// Posts a form with a token of the site itself.
    pub(crate) async fn post(&mut self, to: Of, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(to).await;
        self.post_with(to, path, &token, fields).await
    }

    pub(crate) async fn post_with(
        &mut self,
        to: Of,
        path: &str,
        token: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("csrfmiddlewaretoken", token).extend_pairs(fields);
        let shot = Shot::new("POST", path).header("origin", "http://localhost");
        self.send(to, shot.body("application/x-www-form-urlencoded", body.finish())).await
    }

    pub(crate) async fn sign_in(&mut self, at: Of, username: &str, password: &str) -> bool {
        let answer = self.post(at, "/login", &[("username", username), ("password", password)]).await;
        assert!([200, 303, 401, 422].contains(&answer.status.as_u16()), "{at:?}: {}", answer.text());
        matches!(answer.status.as_u16(), 200 | 303)
    }

    /// The name of whoever is signed in, as one of the two sees it.
    pub(crate) async fn who(&mut self, at: Of) -> Option<String> {
        let seen = self.json(at, "/whoami").await;
        let name = seen["username"].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
        assert_eq!(seen["authenticated"].as_bool(), Some(name.is_some()), "{seen}");
        name
    }

    /// What both see, which has to be the same.
    pub(crate) async fn both(&mut self) -> Option<String> {
        let (there, here) = (self.who(Of::Django).await, self.who(Of::Haechi).await);
        assert_eq!(there, here, "the two sites disagree");
        here
    }
}

/// Returns a Python with Django, `None` where there is none and none is required.
pub(crate) fn python() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/django-venv/bin/python");
    let python = std::env::var_os("HAECHI_TEST_PYTHON").map_or_else(beside, PathBuf::from);
    let has_django = Command::new(&python).args(["-c", "import django, psycopg"]).output();
    if !has_django.is_ok_and(|output| output.status.success()) {
        assert!(!required(), "Django is required: pip install \"django==5.2.*\" \"psycopg[binary]\"");
        println!("skipped: no Python with Django 5.2; name one in HAECHI_TEST_PYTHON");
        return None;
    }
    Some(python)
}

/// Starts Django.
fn process(end: End, database: &Value, settings: &str) -> Option<(u16, String, Guard)> {
    let python = python()?;
    let settings = if settings.is_empty() { "{}" } else { settings };
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/django_site.py");
    let mut child = Command::new(python)
        .arg(program)
        .env("SITE_DATABASE", database.to_string())
        .env("SITE_SETTINGS", settings)
        .env("SITE_KEY", KEY)
        .env("SITE_MODELS", concat!(env!("CARGO_MANIFEST_DIR"), "/../haechi-auth/tests/django"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let guard = Guard { child, end };
    let (port, version) = line.trim().split_once(' ').expect("Django says its port and its version");
    Some((port.parse().unwrap(), version.to_owned(), guard))
}

/// Django behind a socket, as a service.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    port: u16,
}

impl Service<Request<Full<Bytes>>> for Process {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let port = self.port;
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut head =
                format!("{} {} HTTP/1.0\r\ncontent-length: {}\r\n", parts.method, parts.uri, body.len());
            for (name, value) in &parts.headers {
                head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
            }
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            Ok(parse(&answer))
        })
    }
}

fn parse(answer: &[u8]) -> Response<Full<Bytes>> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("the head ends");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
    let mut response = Response::new(Full::from(answer[end + 4..].to_vec()));
    *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().append(name, HeaderValue::from_str(value.trim()).unwrap());
    }
    response
}
