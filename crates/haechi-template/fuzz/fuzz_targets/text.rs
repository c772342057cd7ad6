//! Any text as a template: no panic, and a rendered page without the markup of its value.
#![no_main]

use haechi_template::{Page, Templates};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(templates) = Templates::embedded(&[("p.html", text)]).fuel(100_000).build() else { return };
    let page = Page::new().csrf(|| "t0ken".into());
    let html = templates.render("p.html", &serde_json::json!({ "x": "<zq>\"'" }), &page).unwrap_or_default();
    assert!(!html.contains("<zq>") || text.contains("safe") || text.contains("<zq>"), "{html}");
});
