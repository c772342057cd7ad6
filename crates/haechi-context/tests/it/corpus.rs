//! Every template of the corpus with every payload, in a real Chromium.

use std::time::Duration;

use haechi_context::Value;

use crate::browser::{BENIGN, Case, Failure, PAYLOADS, TEMPLATES, judge, line, open};
use crate::render::Template;

fn case(kind: &str, source: &str, payloads: &[String], benign: &[String]) -> Case {
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut case = Case { name: source.to_owned(), kind: kind.to_owned(), ..Case::default() };
    for payload in payloads {
        case.base += &template.render(&Value::Text("abc"));
        case.safe += &template.render(&Value::Text(payload));
        case.raw += &source.replace("{{ x }}", payload);
    }
    if !matches!(kind, "-" | "here" | "spread") {
        let rendered = benign.iter().map(|value| (value.clone(), template.render(&Value::Text(value))));
        case.benign = rendered.collect();
    }
    case
}

/// asvs_1_2_1, asvs_1_2_3: each place has its own escaper, seen by a browser.
#[test]
fn no_payload_runs_or_adds_markup_or_style_and_benign_values_come_back() {
    let payloads: Vec<String> = PAYLOADS.lines().map(line).collect();
    let benign: Vec<String> = BENIGN.lines().map(line).collect();
    let rows = TEMPLATES.lines().filter_map(|row| row.split_once('\t'));
    let cases: Vec<Case> = rows.map(|(kind, source)| case(kind, &line(source), &payloads, &benign)).collect();
    judge(&cases, cases.len() * payloads.len(), 500);
}

#[test]
fn a_browser_that_does_not_end_is_stopped() {
    let limit = Duration::from_secs(3);
    match open("<script>for (;;);</script>", limit) {
        Err(Failure::NotInstalled) => println!("skipped: chromium is not installed"),
        stopped => assert_eq!(stopped, Err(Failure::Hung(limit))),
    }
}
