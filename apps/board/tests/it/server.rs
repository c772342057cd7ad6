//! The built board on a free port, with data of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use haechi::db::{Db, Options};

use crate::client::Client;
use crate::database::Database;

/// The password of everybody on the board.
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
    /// On PostgreSQL; removed after the process.
    database: Option<Database>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with("", &[])
    }

    /// Starts the board on SQLite, and on PostgreSQL where a server is up, with a database of its own on each.
    pub(crate) fn each(config: &str) -> Vec<Self> {
        let mut all = vec![Self::start_with(config, &[])];
        if let Some(database) = Database::create() {
            let mut server = Self::start_with(config, &[("HAECHI_DATABASE_URL", &database.url)]);
            server.database = Some(database);
            all.push(server);
        }
        all
    }

    /// Starts the board with a configuration file of its own and with variables of the environment.
    pub(crate) fn start_with(config: &str, variables: &[(&str, &str)]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let data = std::env::temp_dir().join(format!("board-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("named.toml"), config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_board"))
            .env("HAECHI_BIND", "127.0.0.1:0")
            .env("HAECHI_DATA", &data)
            .env("HAECHI_CONFIG", data.join("named.toml"))
            .env_remove("HAECHI_DATABASE_URL")
            .envs(variables.iter().copied())
            .current_dir(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (found, address) = channel();
        follow(child.stdout.take().unwrap(), &log, found.clone());
        follow(child.stderr.take().unwrap(), &log, found);
        let address = address
            .recv_timeout(Duration::from_secs(30))
            .unwrap_or_else(|_| panic!("the board did not start: {:#?}", log.lock().unwrap()));
        Self { child, data, address, log, database: None }
    }

    /// Starts the board behind a proxy on this machine, which says what address each client has.
    pub(crate) fn behind_a_proxy() -> Self {
        Self::start_with(
            "mode = \"development\"\ntrusted_proxies = [\"127.0.0.1\"]\n[limits]\nrequests_per_minute = 100000\n",
            &[],
        )
    }

    /// A visitor from a network of its own, where the board stands behind a proxy.
    pub(crate) fn visitor_from(&self, network: &str) -> Client {
        let mut client = self.visitor();
        client.network = Some(network.to_owned());
        client
    }

    /// Opens the database of the board beside it.
    pub(crate) async fn open_database(&self) -> Db {
        let file = format!("sqlite:{}", self.database().display());
        Db::connect(&file.parse().unwrap(), Options::default()).await.unwrap()
    }

    /// The file of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("board.db")
    }

    /// The address of the database of the board.
    pub(crate) fn database_url(&self) -> String {
        match &self.database {
            Some(own) => own.url.clone(),
            None => format!("sqlite:{}", self.database().display()),
        }
    }

    /// Runs a command of the board on the same data; returns its exit code and what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_board"));
        command
            .args(arguments)
            .env("HAECHI_DATA", &self.data)
            .env_remove("HAECHI_DATABASE_URL")
            .current_dir(&self.data);
        if let Some(own) = &self.database {
            command.env("HAECHI_DATABASE_URL", &own.url);
        }
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    /// A visitor without cookies.
    pub(crate) fn visitor(&self) -> Client {
        Client::new(&self.address)
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What was logged so far, a line each.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Somebody who has just signed up.
    #[track_caller]
    pub(crate) fn member(&self, name: &str) -> Client {
        let mut client = self.visitor();
        let fields = [("username", name), ("email", ""), ("password", PASSWORD)];
        client.submit("/accounts/signup", &fields).expect_redirect("/");
        client
    }

    /// Makes a superuser by the command line, and signs in as that person.
    #[track_caller]
    pub(crate) fn superuser(&self, name: &str) -> Client {
        self.add_user(&[name, "--superuser"]);
        let mut client = self.visitor();
        let fields = [("username", name), ("password", PASSWORD)];
        client.submit("/accounts/login", &fields).expect_redirect("/");
        client
    }

    /// Makes an account by the command line, so that no throttle counts it.
    #[track_caller]
    pub(crate) fn add_user(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_board"))
            .args(["user", "add"])
            .args(arguments)
            .env("HAECHI_DATA", &self.data)
            .env_remove("HAECHI_DATABASE_URL")
            .current_dir(&self.data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        command.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
        assert!(command.wait().unwrap().success());
    }

    /// Ends the program, and fails if its log tells of a failure of the server or of a statement.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let log = self.log.lock().unwrap();
        let bad = ["handler failed", "handler panicked", "refused a statement", " 500 "];
        let found: Vec<_> = log.iter().filter(|line| bad.iter().any(|bad| line.contains(bad))).collect();
        assert!(found.is_empty(), "{found:#?}");
        assert!(log.iter().any(|line| line.contains(" 200 GET ")), "the log was not read: {log:#?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.data));
    }
}

fn follow(output: impl Read + Send + 'static, log: &Arc<Mutex<Vec<String>>>, found: Sender<String>) {
    let log = log.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some((_, address)) =
                line.trim().split_once("://").filter(|(scheme, _)| scheme.starts_with("http"))
            {
                drop(found.send(address.to_owned()));
            }
            log.lock().unwrap().push(line);
        }
    });
}
