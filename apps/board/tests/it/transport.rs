//! The board over TLS and HTTP/2, and with the settings that an operator gives it from outside.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::Server;

/// Whether a program is there; a gate that requires all of them fails instead of skipping.
pub(crate) fn has(program: &str) -> bool {
    let there =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    assert!(there || std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "{program} is required and missing");
    if !there {
        eprintln!("skipped: {program} is not installed");
    }
    there
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn http_2_over_tls_serves_curl_and_h2load() {
    if !has("curl") || !has("h2load") {
        return;
    }
    let server =
        Server::start_with("[tls]\ndevelopment = true\n[limits]\nrequests_per_minute = 100000\n", &[]);
    let port = server.address().rsplit_once(':').unwrap().1.to_owned();
    let page = format!("https://localhost:{port}/");
    let shown = |version: &str| {
        run("curl", &["-sk", version, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", &page])
    };
    assert_eq!(shown("--http2"), "2 200");
    assert_eq!(shown("--http1.1"), "1.1 200");
    let load = run("h2load", &["-n", "500", "-c", "10", "-m", "10", &page]);
    assert!(load.contains("Application protocol: h2"), "{load}");
    assert!(load.contains("500 succeeded, 0 failed, 0 errored, 0 timeout"), "{load}");
    server.finish();
}

/// Pages, files and refusals: a body behind the head would end the stream with an error.
#[test]
fn a_head_is_that_of_the_page_over_every_version() {
    if !has("curl") {
        return;
    }
    let server = Server::start_with("[tls]\ndevelopment = true\n", &[]);
    let port = server.address().rsplit_once(':').unwrap().1.to_owned();
    for (path, host) in [
        ("/", "localhost"),
        ("/accounts/login", "localhost"),
        ("/search", "localhost"),
        ("/nothing", "localhost"),
        ("/static/haechi.css", "localhost"),
        ("/static/nothing.css", "localhost"),
        ("/", "evil.example"),
    ] {
        let (host, page) = (format!("Host: {host}:{port}"), format!("https://localhost:{port}{path}"));
        for version in ["--http2", "--http1.1"] {
            let asked = |more: &[&str]| {
                run(
                    "curl",
                    &[&["-sk", version, "-H", &host, "-o", "/dev/null", "-m", "20"], more, &[&page]].concat(),
                )
            };
            let told = "%{exitcode} %{http_version} %{http_code} ";
            let head = asked(&["-I", "-w", &format!("{told}%header{{content-length}}")]);
            let whole = asked(&["-w", &format!("{told}%{{size_download}}")]);
            assert_eq!(head, whole, "{version} {path} {host}");
            assert!(head.starts_with("0 "), "{version} {path} {host}: {head}");
        }
    }
    server.finish();
}

#[test]
fn http_2_on_plain_text_is_not_spoken() {
    if !has("curl") {
        return;
    }
    let server = Server::start();
    let page = format!("http://{}/", server.address());
    let told = ["-s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
    let prior = run("curl", &[&told[..], &["--http2-prior-knowledge", &page]].concat());
    assert!(!prior.ends_with("200"), "{prior}");
    // An upgrade that is not taken leaves HTTP/1.1.
    assert_eq!(run("curl", &[&told[..], &["--http2", &page]].concat()), "1.1 200");
}

fn issue(folder: &Path, serial: &str) -> (String, String) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let (new_certificate, new_key) = (folder.join("new-certificate.pem"), folder.join("new-key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-set_serial", serial])
        .args(["-keyout".as_ref(), new_key.as_os_str(), "-out".as_ref(), new_certificate.as_os_str()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::rename(new_key, &key).unwrap();
    std::fs::rename(new_certificate, &certificate).unwrap();
    (certificate.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned())
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    if !has("openssl") || !has("curl") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("board-certificate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = issue(&folder, "1001");
    let server = Server::start_with(
        "mode = \"development\"\n",
        &[("HAECHI_TLS_CERT", &certificate), ("HAECHI_TLS_KEY", &key)],
    );
    let port = server.address().rsplit_once(':').unwrap().1.to_owned();
    let serial = || {
        let script = format!(
            "openssl s_client -connect 127.0.0.1:{port} -servername localhost </dev/null 2>/dev/null | openssl x509 -noout -serial"
        );
        run("sh", &["-c", &script]).trim().to_owned()
    };
    assert_eq!(serial(), "serial=03E9");
    let page = format!("https://localhost:{port}/");
    let trusted = ["-s", "--cacert", &certificate, "-o", "/dev/null", "-w", "%{http_code}", &page];
    assert_eq!(run("curl", &trusted), "200");
    issue(&folder, "1002");
    assert!(Command::new("kill").args(["-HUP", &server.id().to_string()]).status().unwrap().success());
    let began = Instant::now();
    while serial() != "serial=03EA" {
        assert!(began.elapsed() < Duration::from_secs(10), "{:#?}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(run("curl", &trusted), "200");
    drop(std::fs::remove_dir_all(folder));
}

#[test]
fn the_file_that_the_environment_names_is_the_configuration() {
    let process = std::env::temp_dir().join(format!("board-process-{}", std::process::id()));
    let server =
        Server::start_with("[log]\nformat = \"json\"\n", &[("HAECHI_PID_FILE", process.to_str().unwrap())]);
    assert_eq!(std::fs::read_to_string(&process).unwrap().trim(), server.id().to_string());
    assert_eq!(server.visitor().get("/").status, 200);
    let began = Instant::now();
    let line = loop {
        let log = server.log();
        if let Some(line) = log.iter().find(|line| line.contains("haechi::request")) {
            break line.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{log:#?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
    assert!(line.contains("\"status\":200"), "{line}");
    drop(std::fs::remove_file(process));
}

#[test]
fn a_configuration_that_is_not_there_or_unknown_is_no_start() {
    let start = |variables: &[(&str, &str)]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_board")).envs(variables.iter().copied()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = start(&[("HAECHI_CONFIG", "no-such-file.toml")]);
    assert!(missing.contains("no-such-file.toml"), "{missing}");
    let unknown = start(&[("HAECHI_BINDD", "localhost:1")]);
    assert!(unknown.contains("HAECHI_BIND"), "{unknown}");
}

/// asvs_14_2_1, asvs_16_2_5: a token is cut from what is logged.
#[test]
fn a_token_in_a_path_stands_in_no_log() {
    let server = Server::start();
    let mut visitor = server.visitor();
    visitor.get("/accounts/reset/MQ/secret-token/");
    visitor.get("/accounts/email/secret-token/");
    let foreign = [("origin", "https://other.example")];
    assert_eq!(visitor.post("/accounts/reset/MQ/secret-token/", &[], &foreign).status, 403);
    assert_eq!(visitor.get("/nothing-here").status, 404);
    let began = Instant::now();
    while !server.log().iter().any(|line| line.contains("/nothing-here")) {
        assert!(began.elapsed() < Duration::from_secs(10), "{:#?}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = server.log();
    assert!(log.iter().any(|line| line.contains("/accounts/reset/")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("secret-token")), "{log:#?}");
}
