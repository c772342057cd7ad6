//! Every template of the corpus with every payload, in a real Chromium.

use std::fmt::Write;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use haechi_context::Value;

use crate::render::Template;

const TEMPLATES: &str = include_str!("../corpus/templates.txt");
const PAYLOADS: &str = include_str!("../corpus/payloads.txt");
const BENIGN: &str = include_str!("../corpus/benign.txt");

/// Far above what it needs; a page that waits for a load is a mistake of the harness.
const LIMIT: Duration = Duration::from_secs(50);

/// Decodes `\n`, `\t`, `\r`, `\\` and `\uXXXX` of a line.
fn line(text: &str) -> String {
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

fn case(row: &str) -> String {
    let (kind, source) = row.split_once('\t').unwrap();
    let source = line(source);
    let template = Template::parse(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let (mut base, mut safe, mut raw) = (String::new(), String::new(), String::new());
    for payload in PAYLOADS.lines().map(line) {
        base += &template.render(&Value::Text("abc"));
        safe += &template.render(&Value::Text(&payload));
        raw += &source.replace("{{ x }}", &payload);
    }
    let mut benign = String::new();
    if !matches!(kind, "-" | "here" | "spread") {
        for value in BENIGN.lines().map(line) {
            let html = template.render(&Value::Text(&value));
            write!(benign, "[{},{}],", literal(&value), literal(&html)).unwrap();
        }
    }
    let fields = [&source, kind, &base, &safe, &raw].map(literal).join(",");
    format!("[{fields},[{benign}]],\n")
}

/// What Chromium makes of the page, or nothing if it is not installed.
fn chromium(page: &str) -> Option<String> {
    let folder = std::env::temp_dir().join(format!("haechi-corpus-{}", std::process::id()));
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
    let dom = child.ok().map(|mut child| {
        let (sender, receiver) = mpsc::channel();
        let mut pipe = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut dom = Vec::new();
            pipe.read_to_end(&mut dom).unwrap_or_default();
            sender.send(dom).unwrap_or_default();
        });
        let dom = receiver.recv_timeout(LIMIT);
        Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", child.id())])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        child.wait().unwrap();
        dom
    });
    std::fs::remove_dir_all(&folder).unwrap_or_default();
    dom.map(|dom| {
        let dom = dom.unwrap_or_else(|_| panic!("chromium did not finish in {LIMIT:?} and was killed"));
        String::from_utf8_lossy(&dom).into_owned()
    })
}

fn number(line: &str, name: &str) -> i64 {
    let field = line.split('\t').find_map(|field| field.strip_prefix(name)).unwrap_or("0");
    field.split_whitespace().next().unwrap().parse().unwrap()
}

/// asvs_1_2_1, asvs_1_2_3: each place has its own escaper, seen by a browser.
#[test]
fn no_payload_runs_or_adds_markup_or_style_and_benign_values_come_back() {
    let rows: Vec<&str> = TEMPLATES.lines().collect();
    let cases: String = rows.iter().map(|row| case(row)).collect();
    let driver = include_str!("corpus.js");
    let page = format!(
        "<!DOCTYPE html><meta charset=utf-8><body><script>const CASES = [{cases}];\n{driver}</script>"
    );
    let Some(dom) = chromium(&page) else {
        assert!(std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "chromium is required");
        println!("skipped: chromium is not installed");
        return;
    };
    let report = dom.split_once("BEGIN\n").and_then(|(_, rest)| rest.split_once("\nEND"));
    let report = report.unwrap_or_else(|| panic!("no report: {}", &dom[..dom.len().min(400)])).0;
    let total = |name: &str| report.lines().map(|line| number(line, name)).sum::<i64>();
    let bad: Vec<&str> = report
        .lines()
        .filter(|line| {
            ["hits ", "elements ", "attributes ", "rules "].iter().any(|name| number(line, name) != 0)
        })
        .collect();
    let wrong: Vec<&str> = report.lines().filter(|line| !line.contains(" wrong 0")).collect();
    println!(
        "chromium: {} templates, {} pairs, {} scripts ran, without escaping {}; {} benign values",
        report.lines().count(),
        rows.len() * PAYLOADS.lines().count(),
        total("hits "),
        total("raw "),
        total("benign "),
    );
    assert_eq!(report.lines().count(), rows.len());
    assert!(bad.is_empty(), "{} templates:\n{}", bad.len(), bad.join("\n"));
    assert!(wrong.is_empty(), "{} templates:\n{}", wrong.len(), wrong.join("\n"));
    // The harness can fail: the same pairs without escaping run scripts.
    assert!(total("raw ") > 500, "{} hits without escaping", total("raw "));
}
