//! A server in a process of its own: the crate's examples.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

pub(crate) struct Child {
    process: process::Child,
    output: BufReader<process::ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Child {
    /// Starts an example on a socket that this process opened, as systemd would. The socket is the child's standard
    /// input, which needs no unsafe code.
    pub(crate) fn start(example: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_on(&TcpListener::bind("127.0.0.1:0").unwrap(), example, environment)
    }

    pub(crate) fn start_on(socket: &TcpListener, example: &str, environment: &[(&str, &str)]) -> Self {
        let mut process = Command::new(path(example))
            .envs([("LISTEN_FDS", "1"), ("LISTEN_FDS_FIRST_FD", "0"), ("LISTEN_FDNAMES", "web")])
            .env("HAECHI_BIND", "systemd")
            .env_remove("LISTEN_PID")
            .envs(environment.iter().copied())
            .stdin(OwnedFd::from(socket.try_clone().unwrap()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{example} does not start ({error}): build the examples first"));
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut child = Self { process, output, address: socket.local_addr().unwrap() };
        child.line();
        child
    }

    /// Returns the next line that the example prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Returns what is left of the example's output, after it ended.
    pub(crate) fn output(&mut self) -> String {
        let mut output = String::new();
        self.output.read_to_string(&mut output).unwrap();
        output
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn code(&mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        if self.process.try_wait().is_ok_and(|status| status.is_none()) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }
}

pub(crate) fn path(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples").join(example)
}

/// Whether a program that a test needs is there. Where everything is required, its absence is a failure.
pub(crate) fn has(program: &str) -> bool {
    let found =
        Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var("HAECHI_REQUIRE_ALL").is_err(), "{program} is required and missing");
        println!("skipped: {program} is missing");
    }
    found
}
