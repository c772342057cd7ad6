//! acorn, the JavaScript parser inside node, says what every character of real and random JavaScript is.

use std::io::Write;
use std::process::{Command, Stdio};

use haechi_context::{Context, Place};

use crate::random::Random;

/// How a source fared.
#[derive(Default)]
struct Tally {
    sources: usize,
    whole: usize,
    tokens: usize,
    characters: usize,
}

impl Tally {
    /// Feeds the source a character at a time; a refusal ends it, a wrong belief fails.
    fn compare(&mut self, name: &str, source: &str, spans: &str) {
        let expected = expected(source.len(), spans);
        let mut context = Context::html();
        context.advance("<script>").unwrap();
        self.sources += 1;
        for (i, c) in source.char_indices() {
            // A `<` may begin the end tag: until that is known it is held back.
            if let Some((place, token)) = expected[i].filter(|_| context.place() != Place::LessThan) {
                assert_eq!(
                    context.place(),
                    place,
                    "{name} at {i}: {}␣{}",
                    &source[i.saturating_sub(60)..i],
                    &source[i..source.len().min(i + 40)]
                );
                self.tokens += usize::from(token);
                self.characters += 1;
            }
            if context.advance(c.encode_utf8(&mut [0; 4])).is_err() {
                return;
            }
        }
        self.whole += 1;
    }
}

/// What the parser says of the place before each byte, and whether a token begins there.
fn expected(len: usize, spans: &str) -> Vec<Option<(Place, bool)>> {
    let mut places = vec![None; len + 1];
    for span in spans.split_ascii_whitespace() {
        let fields: Vec<&str> = span.split(':').collect();
        let (start, end): (usize, usize) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
        let (place, inside) = match fields[0] {
            "s" => (Place::JsString, start + 1..end),
            "t" => (Place::JsTemplate, start..end + 1),
            // The machine decides about a slash when it sees the character behind it.
            "r" => (Place::JsRegex, start + 2..end),
            "l" => (Place::JsComment, start + 2..end),
            "b" => (Place::JsComment, start + 2..end - 1),
            _ => (Place::JsCode, start..start + 1),
        };
        if !matches!(fields[0], "t" | "l" | "b") {
            places[start] = Some((Place::JsCode, true));
        }
        for i in inside {
            let token = places[i].is_some_and(|(_, token)| token);
            places[i] = Some((place, token));
        }
    }
    places
}

fn soup() -> Vec<String> {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    (0..60_000).map(|_| random.text(PIECES, 9)).collect()
}

#[test]
fn acorn_agrees_on_every_token() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/acorn.js");
    let node = Command::new("node")
        .args(["--expose-internals", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut node) = node else {
        assert!(std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "node is required");
        println!("skipped: node is not installed");
        return;
    };
    let soup = soup();
    let mut input = node.stdin.take().unwrap();
    let lines = soup.join("\n").into_bytes();
    let writer = std::thread::spawn(move || input.write_all(&lines).unwrap());
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines();
    let mut random = Tally::default();
    for source in &soup {
        if let Some(spans) = lines.next().unwrap().strip_prefix('S') {
            random.compare("soup", &source.replace('\u{1}', "\n"), spans);
        }
    }
    let mut real = Tally::default();
    while let Some(file) = lines.next() {
        let file = file.strip_prefix("F ").unwrap();
        let spans = lines.next().unwrap().strip_prefix('S').unwrap();
        real.compare(file, &std::fs::read_to_string(file).unwrap(), spans);
    }
    for (what, tally) in [("random", &random), ("real", &real)] {
        let Tally { sources, whole, tokens, characters } = tally;
        println!(
            "acorn, {what}: {sources} sources, {whole} to the end, {tokens} tokens, {characters} places agree"
        );
    }
    assert!(random.sources > 1_000 && random.tokens > 5_000);
}

const PIECES: &[&str] = &[
    "a",
    "b ",
    "1",
    " ",
    "\u{1}",
    "/",
    " / ",
    "/c/g",
    "/[/]'/",
    "'d/'",
    "\"e'\"",
    "`f`",
    "`${",
    "}`",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "+",
    "-",
    "++",
    "--",
    "=",
    "=>",
    ",",
    ";",
    ".",
    "...",
    "?.",
    "?",
    ":",
    "!",
    "~",
    "if(",
    "while (a)",
    "for(;;)",
    "with(a)",
    "return ",
    "typeof ",
    "void ",
    "in ",
    " instanceof ",
    "new ",
    "delete ",
    "case ",
    "do ",
    "else ",
    "throw ",
    "yield ",
    "await ",
    "of ",
    "let ",
    "a.if",
    ".return",
    "x.in/",
    "//g\u{1}",
    "/*h'*/",
    "/*\u{1}*/",
    "function(){}",
    "class{}",
    "()=>{}",
    "async ",
    "get ",
    "#i",
    "\\u0061",
    "0x1f",
    "1.",
    ".5",
    "1e3",
    "'\\''",
    "`\\``",
    "`$`",
    "$",
    "_",
    "%",
    "**",
    "??=",
    "<",
    ">",
    "a<b",
    "&&",
    "||",
    "\u{1}--\u{1}",
    "\u{1}++",
    "a++ /b/ c",
    "(a)/b/c",
    "[a]/b/c",
    "=/b'/",
    "(/b\"/)",
    ",/b`/",
    "import(",
    "super",
    "this",
    "true",
    "null",
    "static ",
    "debugger",
];
