//! The content security policy: what a page may load and run.

use std::collections::BTreeMap;

use haechi_core::{NonceTemplate, Origin};
use http::HeaderValue;

/// A content security policy, strict unless widened with a reason.
///
/// Scripts and styles run by the nonce of the answer only, and what such a script loads runs too (`strict-dynamic`); no plug-ins, no `<base>`, forms
/// to this site only, no framing, Trusted Types for scripts.
///
/// # Security
///
/// The second line behind escaping: a `<script>` that got into a page has no nonce and does not run. Does not protect from a script that our
/// own page hands to an attacker, nor from text and links that they write.
///
/// # Examples
///
/// ```
/// use haechi_guard::{Csp, Directive, Source};
///
/// let csp = Csp::strict().widen(Directive::Image, Source::Data, "charts are drawn as data: images");
/// assert!(csp.to_string().contains("img-src 'self' data:"));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Csp {
    sources: BTreeMap<Directive, Vec<Source>>,
    trusted_types: TrustedTypes,
    reports: Option<Reports>,
    widened: Vec<Widening>,
}

/// What a source list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Directive {
    /// `default-src`: whatever has no list of its own.
    Default,
    /// `script-src`.
    Script,
    /// `style-src`.
    Style,
    /// `img-src`.
    Image,
    /// `font-src`.
    Font,
    /// `connect-src`: `fetch`, WebSockets, beacons.
    Connect,
    /// `media-src`.
    Media,
    /// `frame-src`: what our pages frame.
    Frame,
    /// `worker-src`.
    Worker,
    /// `manifest-src`.
    Manifest,
    /// `form-action`.
    FormAction,
    /// `frame-ancestors`: who may frame us.
    FrameAncestors,
    /// `base-uri`.
    BaseUri,
    /// `object-src`.
    Object,
}

/// Where something may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `'self'`: this origin.
    This,
    /// Exactly this origin.
    Origin(Origin),
    /// `data:`; never for scripts.
    Data,
    /// `blob:`.
    Blob,
    /// `'nonce-…'` of the answer.
    Nonce,
    /// `'strict-dynamic'`.
    StrictDynamic,
    /// `'sha256-…'` of one inline piece, given as the 32 bytes in base64.
    Sha256(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrustedTypes {
    Required,
    NotRequired,
}

/// Where browsers report to, and by which of their two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reports {
    path: &'static str,
    way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Both,
    /// `report-uri` alone: beside `report-to` browsers ignore it, and that one they take over TLS only.
    ReportUri,
}

/// One widening of the strict policy, for the command that lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// What was widened, as the policy writes it.
    pub what: String,
    /// Why.
    pub reason: &'static str,
}

impl Csp {
    /// The strict policy.
    pub fn strict() -> Self {
        let this = || vec![Source::This];
        let sources = BTreeMap::from([
            (Directive::Default, this()),
            (Directive::Script, vec![Source::Nonce, Source::StrictDynamic]),
            (Directive::Style, vec![Source::This, Source::Nonce]),
            (Directive::FormAction, this()),
            (Directive::Image, this()),
            (Directive::FrameAncestors, Vec::new()),
            (Directive::BaseUri, Vec::new()),
            (Directive::Object, Vec::new()),
        ]);
        Self { sources, trusted_types: TrustedTypes::Required, reports: None, widened: Vec::new() }
    }

    /// Allows one more source; the reason is listed by `check`.
    pub fn widen(mut self, directive: Directive, source: Source, reason: &'static str) -> Self {
        let what = format!("{} {}", directive.name(), source.text(HOLE));
        self.widened.push(Widening { what, reason });
        // A list of its own replaces `default-src`, so it begins with what that allowed. Those that never fall back
        // (`form-action`, `frame-ancestors`, `base-uri`) stand in the strict policy.
        let fallback = self.sources.get(&Directive::Default).cloned().unwrap_or_default();
        let list = self.sources.entry(directive).or_insert(fallback);
        if !list.contains(&source) {
            list.push(source);
        }
        self
    }

    /// Lets scripts write text where code stands, for libraries that do not know Trusted Types.
    pub fn without_trusted_types(mut self, reason: &'static str) -> Self {
        self.trusted_types = TrustedTypes::NotRequired;
        self.widened.push(Widening { what: "require-trusted-types-for".to_owned(), reason });
        self
    }

    /// Asks browsers to report what the policy stopped to a path of this site, such as `/csp-report`.
    pub fn report_to(mut self, path: &'static str) -> Self {
        self.reports = Some(Reports { path, way: Way::Both });
        self
    }

    /// As [`report_to`](Self::report_to), for a site without TLS, where browsers know the older way only.
    pub fn report_to_without_tls(mut self, path: &'static str) -> Self {
        self.reports = Some(Reports { path, way: Way::ReportUri });
        self
    }

    /// Tells whether browsers are asked to report.
    #[must_use]
    pub const fn reports(&self) -> bool {
        self.reports.is_some()
    }

    /// Tells whether somebody may frame the pages of this policy.
    #[must_use]
    pub fn may_be_framed(&self) -> bool {
        self.sources.get(&Directive::FrameAncestors).is_some_and(|ancestors| !ancestors.is_empty())
    }

    /// Iterates over what was widened and why.
    pub fn widenings(&self) -> impl Iterator<Item = &Widening> {
        self.widened.iter()
    }

    /// Renders the policy, with a place for the nonce.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the expectation always holds")]
    pub fn template(&self) -> NonceTemplate {
        let without_nonce = self.render(None);
        NonceTemplate::new(&self.render(Some(HOLE)), HOLE, &without_nonce)
            .expect("every part of a policy is visible ASCII")
    }

    /// Returns the `Reporting-Endpoints` value, if reports are asked for.
    pub(crate) fn reporting_endpoints(&self) -> Option<HeaderValue> {
        let reports = self.reports.filter(|reports| reports.way == Way::Both)?;
        HeaderValue::try_from(format!("csp=\"{}\"", reports.path)).ok()
    }

    fn render(&self, nonce: Option<&str>) -> String {
        let mut directives = Vec::with_capacity(self.sources.len() + 4);
        for (directive, sources) in &self.sources {
            let list: Vec<_> = sources
                .iter()
                .filter(|source| nonce.is_some() || !source.needs_nonce())
                .map(|source| source.text(nonce.unwrap_or_default()))
                .collect();
            let list = if list.is_empty() { "'none'".to_owned() } else { list.join(" ") };
            directives.push(format!("{} {list}", directive.name()));
        }
        if self.trusted_types == TrustedTypes::Required {
            directives.push("require-trusted-types-for 'script'".to_owned());
        }
        if let Some(Reports { path, way }) = self.reports {
            directives.push(format!("report-uri {path}"));
            if way == Way::Both {
                directives.push("report-to csp".to_owned());
            }
        }
        directives.join("; ")
    }
}

impl std::fmt::Display for Csp {
    /// Writes the policy with `NONCE` where the nonce of an answer stands.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(Some("NONCE")))
    }
}

impl Directive {
    /// Returns the name that the policy writes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default-src",
            Self::Script => "script-src",
            Self::Style => "style-src",
            Self::Image => "img-src",
            Self::Font => "font-src",
            Self::Connect => "connect-src",
            Self::Media => "media-src",
            Self::Frame => "frame-src",
            Self::Worker => "worker-src",
            Self::Manifest => "manifest-src",
            Self::FormAction => "form-action",
            Self::FrameAncestors => "frame-ancestors",
            Self::BaseUri => "base-uri",
            Self::Object => "object-src",
        }
    }
}

impl Source {
    const fn needs_nonce(&self) -> bool {
        // Without a script that has the nonce, `strict-dynamic` trusts nobody and only switches lists off.
        matches!(self, Self::Nonce | Self::StrictDynamic)
    }

    fn text(&self, nonce: &str) -> String {
        match self {
            Self::This => "'self'".to_owned(),
            Self::Origin(origin) => origin.to_string(),
            Self::Data => "data:".to_owned(),
            Self::Blob => "blob:".to_owned(),
            Self::Nonce => format!("'nonce-{nonce}'"),
            Self::StrictDynamic => "'strict-dynamic'".to_owned(),
            // Anything but base64 would end the source, or the directive.
            Self::Sha256(hash) => format!(
                "'sha256-{}'",
                hash.replace(
                    |character: char| !character.is_ascii_alphanumeric() && !"+/=-_".contains(character),
                    ""
                )
            ),
        }
    }
}

/// Cannot occur in a policy otherwise.
const HOLE: &str = "{nonce}";

#[cfg(test)]
mod tests {
    use super::*;

    /// asvs_3_4_3, asvs_3_4_6, asvs_1_3_2.
    #[test]
    fn the_strict_policy() {
        expect_test::expect![[r"default-src 'self'; script-src 'nonce-NONCE' 'strict-dynamic'; style-src 'self' 'nonce-NONCE'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'"]]
            .assert_eq(&Csp::strict().to_string());
    }

    #[test]
    fn an_answer_without_nonce_runs_nothing_inline() {
        let template = Csp::strict().template();
        let text = template.without_nonce().to_str().unwrap();
        assert!(
            text.contains("script-src 'none'") && !text.contains("nonce") && !text.contains("strict-dynamic"),
            "{text}"
        );
    }

    #[test]
    fn widening_adds_to_what_was_allowed_and_keeps_the_reason() {
        #[track_caller]
        fn check(directive: Directive, source: Source, expected: &str) {
            let csp = Csp::strict().widen(directive, source, "why");
            let text = csp.to_string();
            assert!(text.split("; ").any(|part| part == expected), "{text}");
            assert_eq!(csp.widenings().map(|widening| widening.reason).collect::<Vec<_>>(), ["why"]);
        }
        let cdn = || Source::Origin(Origin::parse("https://cdn.example").unwrap());
        check(Directive::Image, Source::Data, "img-src 'self' data:");
        check(Directive::Font, cdn(), "font-src 'self' https://cdn.example");
        check(Directive::FrameAncestors, cdn(), "frame-ancestors https://cdn.example");
        check(Directive::FormAction, cdn(), "form-action 'self' https://cdn.example");
        check(Directive::BaseUri, cdn(), "base-uri https://cdn.example");
        check(
            Directive::Script,
            Source::Sha256("abc'; script-src *".into()),
            "script-src 'nonce-NONCE' 'strict-dynamic' 'sha256-abcscript-src'",
        );
        check(Directive::Image, Source::This, "img-src 'self'");
        assert!(!Csp::strict().without_trusted_types("old library").to_string().contains("trusted-types"));
        assert!(
            Csp::strict()
                .report_to("/csp-report")
                .to_string()
                .ends_with("report-uri /csp-report; report-to csp")
        );
    }

    #[test]
    fn each_source_is_written_as_browsers_read_it() {
        #[track_caller]
        fn check(directive: Directive, source: Source, expected: &str) {
            let csp = Csp::strict().widen(directive, source, "why");
            assert!(csp.widenings().any(|widening| widening.what == expected), "{csp:?}");
        }
        let cdn = Source::Origin(Origin::parse("https://cdn.example").unwrap());
        check(Directive::Connect, cdn, "connect-src https://cdn.example");
        check(Directive::Worker, Source::Blob, "worker-src blob:");
        check(Directive::Media, Source::Data, "media-src data:");
        check(Directive::Frame, Source::This, "frame-src 'self'");
        check(Directive::Manifest, Source::This, "manifest-src 'self'");
        check(Directive::Style, Source::Sha256("Ab1+/=-_\"".into()), "style-src 'sha256-Ab1+/=-_'");
    }

    #[test]
    fn widened_styles_without_a_nonce_keep_their_other_sources() {
        let csp = Csp::strict().widen(Directive::Script, Source::This, "why").without_trusted_types("why");
        let template = csp.template();
        let text = template.without_nonce().to_str().unwrap();
        assert!(text.contains("script-src 'self'; style-src 'self';"), "{text}");
        assert_eq!(csp.widenings().count(), 2, "taking Trusted Types off is listed as well");
    }

    #[test]
    fn browsers_report_by_both_ways_over_tls_and_by_the_older_one_without() {
        #[track_caller]
        fn check(csp: &Csp, endpoints: Option<&str>, end: &str) {
            assert_eq!(csp.reports(), csp.to_string().contains("report-uri"));
            assert_eq!(csp.reporting_endpoints().as_ref().map(|value| value.to_str().unwrap()), endpoints);
            assert!(csp.to_string().ends_with(end), "{csp}");
        }
        check(&Csp::strict(), None, "require-trusted-types-for 'script'");
        check(&Csp::strict().report_to("/r"), Some("csp=\"/r\""), "; report-uri /r; report-to csp");
        // Beside `report-to` browsers ignore `report-uri`, and the former they take over TLS only.
        check(&Csp::strict().report_to_without_tls("/r"), None, "'script'; report-uri /r");
    }
}
