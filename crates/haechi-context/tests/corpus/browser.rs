//! The corpus in a real Chromium, for every crate that renders it.

use std::fmt::Write;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Kinds of places and templates with a `{{ x }}`, one a line.
pub(crate) const TEMPLATES: &str = include_str!("templates.txt");
/// What an attacker sends, one a line.
pub(crate) const PAYLOADS: &str = include_str!("payloads.txt");
/// What must come back as it was, one a line.
pub(crate) const BENIGN: &str = include_str!("benign.txt");

/// One template with all its values rendered.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// With a harmless value, once for each payload.
    pub(crate) base: String,
    pub(crate) safe: String,
    /// Without escaping.
    pub(crate) raw: String,
    pub(crate) benign: Vec<(String, String)>,
}

impl Case {
    fn script(&self) -> String {
        let fields = [&self.name, &self.kind, &self.base, &self.safe, &self.raw];
        let fields = fields.map(|field| literal(field)).join(",");
        let pairs = self.benign.iter();
        let benign: Vec<_> =
            pairs.map(|(value, html)| format!("[{},{}]", literal(value), literal(html))).collect();
        format!("[{fields},[{}]],\n", benign.join(","))
    }
}

/// Decodes `\n`, `\t`, `\r`, `\\` and `\uXXXX` of a line.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('u') => {
                let hex: String = rest.by_ref().take(4).collect();
                out.push(char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap());
            }
            other => out.extend(other),
        }
    }
    out
}

/// A JavaScript string of nothing but escapes, so that the harness does not rest on what it tests.
fn literal(text: &str) -> String {
    text.encode_utf16().fold("\"".to_owned(), |mut out, unit| {
        write!(out, "\\u{unit:04x}").unwrap();
        out
    }) + "\""
}

/// Why there is nothing to judge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    NotInstalled,
    /// Chromium did not end within this time and was killed.
    Hung(Duration),
}

/// What Chromium makes of a page, its scripts run.
pub(crate) fn open(page: &str, limit: Duration) -> Result<String, Failure> {
    static PAGES: AtomicUsize = AtomicUsize::new(0);
    let number = PAGES.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("haechi-corpus-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("page.html"), page).unwrap();
    let child = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        // No address of the corpus is ever looked up.
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", folder.join("page.html").display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Its helpers hold the pipe too, so all of them end together.
        .process_group(0)
        .spawn();
    let dom = child.map_err(|_| Failure::NotInstalled).and_then(|child| read(child, limit));
    std::fs::remove_dir_all(&folder).unwrap_or_default();
    dom
}

fn read(mut child: Child, limit: Duration) -> Result<String, Failure> {
    let (sender, receiver) = mpsc::channel();
    let mut pipe = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        let mut dom = Vec::new();
        pipe.read_to_end(&mut dom).unwrap_or_default();
        sender.send(dom).unwrap_or_default();
    });
    let dom = receiver.recv_timeout(limit);
    let group = format!("-{}", child.id());
    Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status().unwrap();
    child.wait().unwrap();
    dom.map(|dom| String::from_utf8_lossy(&dom).into_owned()).map_err(|_| Failure::Hung(limit))
}

fn number(line: &str, name: &str) -> i64 {
    let field = line.split('\t').find_map(|field| field.strip_prefix(name)).unwrap_or("0");
    field.split_whitespace().next().unwrap().parse().unwrap()
}

/// Opens all cases; panics if a payload ran, added markup or style, or if a benign value changed.
#[track_caller]
pub(crate) fn judge(cases: &[Case], pairs: usize, raw_hits: i64) {
    let mut reports = String::new();
    for part in cases.chunks(cases.len().div_ceil(BROWSERS).max(1)) {
        match report(part) {
            Some(report) => writeln!(reports, "{report}").unwrap(),
            None => return,
        }
    }
    let report = reports.trim_end();
    let total = |name: &str| report.lines().map(|line| number(line, name)).sum::<i64>();
    let faults = ["hits ", "elements ", "attributes ", "rules "];
    let is_bad = |line: &&str| faults.iter().any(|name| number(line, name) != 0);
    let bad: Vec<&str> = report.lines().filter(is_bad).collect();
    let wrong: Vec<&str> = report.lines().filter(|line| !line.contains(" wrong 0")).collect();
    println!(
        "chromium: {} templates, {pairs} pairs, {} scripts ran, without escaping {}; {} benign values",
        report.lines().count(),
        total("hits "),
        total("raw "),
        total("benign "),
    );
    assert_eq!(report.lines().count(), cases.len());
    assert!(bad.is_empty(), "{} templates:\n{}", bad.len(), bad.join("\n"));
    assert!(wrong.is_empty(), "{} templates:\n{}", wrong.len(), wrong.join("\n"));
    // The harness can fail: the same pairs without escaping run scripts.
    assert!(total("raw ") > raw_hits, "{} hits without escaping", total("raw "));
}

/// What one browser says of cases, a line each; `None` where there is no browser and none is required.
#[track_caller]
fn report(cases: &[Case]) -> Option<String> {
    let scripts: String = cases.iter().map(Case::script).collect();
    let driver = include_str!("../it/corpus.js");
    let page = format!(
        "<!DOCTYPE html><meta charset=utf-8><body><script>const CASES = [{scripts}];\n{driver}</script>"
    );
    let dom = match open(&page, LIMIT) {
        Ok(dom) => dom,
        Err(Failure::Hung(limit)) => panic!("chromium did not end within {limit:?} and was killed"),
        Err(Failure::NotInstalled) => {
            assert!(std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "chromium is required");
            println!("skipped: chromium is not installed");
            return None;
        }
    };
    let report = dom.split_once("BEGIN\n").and_then(|(_, rest)| rest.split_once("\nEND"));
    let report = report.unwrap_or_else(|| panic!("no report: {}", &dom[..dom.len().min(400)])).0;
    Some(report.trim_end().to_owned())
}

/// Many times what it needs; a page that waits for a load is a mistake of the harness.
const LIMIT: Duration = Duration::from_secs(240);

/// One after the other, so that each has a part of the work.
const BROWSERS: usize = 4;
