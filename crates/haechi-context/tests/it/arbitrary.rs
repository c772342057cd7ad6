//! Seeded random input for what the fuzz targets check.

use haechi_context::Context;

use crate::machine::{check_escapers, check_machine};
use crate::random::Random;

const PIECES: &[&str] = &[
    "\u{1}",
    "\u{1}",
    "\u{1}",
    "\u{2}",
    "\u{3}",
    "<",
    ">",
    "/",
    "\"",
    "'",
    "`",
    "=",
    " ",
    "\n",
    "\r",
    "\t",
    "&",
    ";",
    "#",
    ":",
    "-",
    "--",
    "!",
    "?",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "${",
    ",",
    "*",
    "@",
    "+",
    "++",
    ".",
    "%41",
    "\0",
    "\u{2028}",
    "\u{feff}",
    "é",
    "🦀",
    "a",
    "A",
    "1",
    "<a href=\"",
    "<p title='",
    "<a onclick=\"",
    "<img srcset=\"",
    "<i style=\"",
    "<script>",
    "</script>",
    "<script type=module>",
    "<style>",
    "</style>",
    "<textarea>",
    "</textarea>",
    "<title>",
    "</title>",
    "<svg>",
    "</svg>",
    "<math>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<!DOCTYPE",
    "<meta http-equiv=refresh content=\"1; url=",
    "<iframe srcdoc=\"",
    "<form method=post action=\"",
    "<animate values=\"",
    "data-",
    "aria-",
    "javascript:",
    "https://",
    "//",
    "/*",
    "*/",
    "url(",
    "@import ",
    "return",
    "x",
    "&#106;",
    "&amp;",
    "&quot;",
    "&colon;",
    "&nope;",
    "<xmp>",
    "<plaintext>",
    "<b>",
    "</b>",
    "\">",
];

#[test]
fn any_input_has_one_meaning_and_no_panic() {
    let mut random = Random(0x6d61_6368);
    for _ in 0..8_000 {
        check_machine(&random.text(PIECES, 14));
    }
    for _ in 0..2_000 {
        let text: String = (0..random.below(24))
            .filter_map(|_| char::from_u32(u32::try_from(random.below(0x180)).unwrap()))
            .collect();
        check_machine(&text);
    }
}

#[test]
fn no_escaper_writes_what_ends_its_place() {
    let mut random = Random(0x6573_6361);
    for _ in 0..1_500 {
        check_escapers(&random.text(PIECES, 8));
    }
}

#[test]
fn a_megabyte_is_read_in_one_piece() {
    for piece in ["<p>", "<svg>", "{", "&", "<a b=c ", "é"] {
        let source = format!("<script>{}", piece.repeat(1_000_000 / piece.len()));
        Context::html().advance(&source).map(drop).unwrap_or_default();
        Context::html().advance(&source["<script>".len()..]).map(drop).unwrap_or_default();
    }
}
