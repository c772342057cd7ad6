//! Renders JSON lines: `{"template", "files"?: {name: text}, "vars", "id"?}` in, `{"html"}` or `{"error"}` out.
//!
//! With it any corpus can drive the engine. The variables are plain data. One answer a line, in order, at once.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Write};
use std::rc::Rc;

use haechi_template::{Page, Templates, value::Value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Request {
    template: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    vars: Value,
}

type Cache = HashMap<(String, BTreeMap<String, String>), Rc<Result<Templates, String>>>;

fn main() -> io::Result<()> {
    render_lines(io::stdin().lock(), &mut io::stdout().lock())
}

/// Answers each line, in order.
pub(crate) fn render_lines(lines: impl BufRead, out: &mut impl Write) -> io::Result<()> {
    let mut cache = Cache::new();
    for line in lines.split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let mut answer = serde_json::Map::new();
        let parsed = serde_json::from_slice::<serde_json::Value>(&line);
        if let Some(id) = parsed.as_ref().ok().and_then(|line| line.get("id")) {
            answer.insert("id".into(), id.clone());
        }
        let request = parsed.and_then(serde_json::from_value::<Request>).map_err(|error| error.to_string());
        match request.and_then(|request| render(request, &mut cache)) {
            Ok(html) => answer.insert("html".into(), html.into()),
            Err(error) => answer.insert("error".into(), error.into()),
        };
        out.write_all(ascii(&serde_json::to_string(&answer)?).as_bytes())?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

/// JSON of ASCII alone: some readers divide lines at U+2028 or U+0085 too.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}

fn render(request: Request, cache: &mut Cache) -> Result<String, String> {
    let Request { template, files, vars } = request;
    if cache.len() >= CACHED {
        cache.clear();
    }
    let entry = cache.entry((template, files));
    let templates = entry.or_insert_with_key(|(template, files)| Rc::new(load(template, files))).clone();
    let templates = templates.as_ref().as_ref().map_err(Clone::clone)?;
    templates.render_value(PAGE, &vars, &page()).map_err(|error| error.to_string())
}

fn load(template: &str, files: &BTreeMap<String, String>) -> Result<Templates, String> {
    let rest =
        files.iter().filter(|(name, _)| *name != PAGE).map(|(name, text)| (name.as_str(), text.as_str()));
    let all: Vec<(&str, &str)> = std::iter::once((PAGE, template)).chain(rest).collect();
    Templates::embedded(&all).build().map_err(|error| error.to_string())
}

/// No nonce, and a token that never changes: the output depends on the line alone.
fn page() -> Page {
    Page::new().csrf(|| "token".into())
}

const PAGE: &str = "page.html";

/// Sets of templates that are kept: a corpus tries one with many values.
const CACHED: usize = 256;
