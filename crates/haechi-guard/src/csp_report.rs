//! What browsers report of a content security policy at work.

use haechi_core::Quoted;
use serde::Deserialize;

/// One thing that the policy stopped, ready for the log: every text is shortened and escaped.
///
/// # Security
///
/// Anybody can send reports. They are read from at most 16 KiB, at most 20 of them, and end in the log only; query and fragment of
/// addresses are left out, since people put secrets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CspReport {
    /// The page, without query.
    pub page: String,
    /// The directive that stopped it.
    pub directive: String,
    /// What was stopped: an address without query, or a word such as `inline`.
    pub blocked: String,
    /// The line of the page or script, if the browser says it.
    pub line: Option<u32>,
}

impl CspReport {
    /// The longest body that is read.
    pub const MOST_BYTES: usize = 16 * 1024;
    /// Reads the body of a report request: `application/csp-report` holds one, `application/reports+json` a list.
    ///
    /// Returns nothing for what is too long or is no report; an empty list for reports of other things.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Vec<Self>> {
        if body.len() > Self::MOST_BYTES {
            return None;
        }
        Some(match serde_json::from_slice(body).ok()? {
            Body::Old { report } => vec![report.into()],
            Body::List(reports) => {
                let csp =
                    reports.into_iter().filter(|report| report.kind == "csp-violation").take(MOST_REPORTS);
                csp.filter_map(|report| report.body).map(Self::from).collect()
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Old {
        #[serde(rename = "csp-report")]
        report: Violation,
    },
    List(Vec<Report>),
}

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    body: Option<Violation>,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(alias = "document-uri", alias = "documentURL", default)]
    page: String,
    #[serde(alias = "effective-directive", alias = "effectiveDirective", default)]
    directive: String,
    #[serde(alias = "blocked-uri", alias = "blockedURL", default)]
    blocked: String,
    #[serde(alias = "line-number", alias = "lineNumber", default)]
    line: Option<u32>,
}

impl From<Violation> for CspReport {
    fn from(violation: Violation) -> Self {
        let address = |text: &str| Quoted(text.split(['?', '#']).next().unwrap_or(text)).to_string();
        Self {
            page: address(&violation.page),
            directive: Quoted(&violation.directive).to_string(),
            blocked: address(&violation.blocked),
            line: violation.line,
        }
    }
}

const MOST_REPORTS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// asvs_3_4_7.
    #[test]
    fn both_forms_are_read_without_queries() {
        #[track_caller]
        fn check(body: &str) {
            let reports = CspReport::parse(body.as_bytes());
            let expected = CspReport {
                page: "\"https://example.org/a\"".into(),
                directive: "\"script-src-elem\"".into(),
                blocked: "\"inline\"".into(),
                line: Some(7),
            };
            assert_eq!(reports, Some(vec![expected]));
        }
        check(
            r#"{"csp-report":{"document-uri":"https://example.org/a?token=x#y","effective-directive":"script-src-elem","blocked-uri":"inline","line-number":7,"referrer":""}}"#,
        );
        check(
            r#"[{"type":"csp-violation","age":1,"url":"u","body":{"documentURL":"https://example.org/a?token=x","effectiveDirective":"script-src-elem","blockedURL":"inline","lineNumber":7}},{"type":"deprecation","body":null}]"#,
        );
    }

    #[test]
    fn what_is_no_report_is_nothing() {
        for body in [
            "",
            "{}",
            "null",
            "[null]",
            "\"a\"",
            "{\"csp-report\":7}",
            "\u{0}",
            "[[[[[[[[",
            "{\"csp-report\":{\"line-number\":-1}}",
        ] {
            assert_eq!(CspReport::parse(body.as_bytes()), None, "{body}");
        }
        for other in ["[]", r#"[{"type":"deprecation","body":null}]"#] {
            assert_eq!(CspReport::parse(other.as_bytes()), Some(Vec::new()), "{other}");
        }
        assert_eq!(CspReport::parse(&b"[".repeat(16_000)), None);
        let one = r#"{"type":"csp-violation","body":{"blockedURL":"a"}}"#;
        assert_eq!(CspReport::parse(format!("[{}]", [one; 100].join(",")).as_bytes()).unwrap().len(), 20);
        let long = format!(r#"{{"csp-report":{{"blocked-uri":"{}"}}}}"#, "a".repeat(16 * 1024));
        assert_eq!(CspReport::parse(long.as_bytes()), None);
    }

    #[test]
    fn a_report_is_read_up_to_sixteen_kibibytes_and_not_a_byte_further() {
        let report = r#"{"csp-report":{"blocked-uri":"a"}}"#;
        for (length, read) in [(CspReport::MOST_BYTES, true), (CspReport::MOST_BYTES + 1, false)] {
            assert_eq!(CspReport::parse(format!("{report:length$}").as_bytes()).is_some(), read, "{length}");
        }
        assert_eq!(CspReport::MOST_BYTES, 16_384);
    }

    #[test]
    fn a_report_cannot_forge_a_log_line() {
        let reports = CspReport::parse(
            br#"{"csp-report":{"blocked-uri":"a\r\nINFO forged \u001b[31m","document-uri":"\u0000"}}"#,
        )
        .unwrap();
        assert_eq!(reports[0].blocked, r#""a\r\nINFO forged \u{1b}[31m""#);
    }
}
