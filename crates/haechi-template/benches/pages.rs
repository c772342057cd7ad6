//! What deciding the escaping by place costs at render time: two pages, against minijinja that escapes HTML only and
//! against askama, which is compiled.
//!
//! `cargo bench -p haechi-template`. Each figure is the best of many runs, interleaved, so that noise cancels out.
//! `-- ENGINE PAGE CALLS` renders one page and prints nothing, for a profiler: `scripts/template_instructions.py`.

use std::time::Instant;

use askama::Template;
use haechi_template::{Page, Templates, value::Value};
use minijinja::{AutoEscape, Environment};

const PLAIN: &str = "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th>\
    <th>message</th></tr>{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.message }}</td></tr>{% endfor %}\
    </table></body></html>";

const RICH: &str = "<table>{% for row in rows %}<tr class=\"{{ row.class }}\" style=\"width: {{ row.id }}%\">\
    <td><a href=\"{{ row.url }}\">{{ row.message }}</a><a href=\"/s?q={{ row.class }}&amp;n={{ row.id }}\">s</a>\
    <b onclick=\"like({{ row.id }})\">+</b></td></tr>{% endfor %}</table>";

struct Row {
    id: u32,
    message: &'static str,
    class: &'static str,
    url: &'static str,
}

/// The same pages; the macro takes literals only.
#[derive(Template)]
#[template(
    ext = "html",
    source = "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th>\
<th>message</th></tr>{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.message }}</td></tr>{% endfor %}\
</table></body></html>"
)]
struct Plain<'r> {
    rows: &'r [Row],
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<table>{% for row in rows %}<tr class=\"{{ row.class }}\" style=\"width: {{ row.id }}%\">\
<td><a href=\"{{ row.url }}\">{{ row.message }}</a><a href=\"/s?q={{ row.class }}&amp;n={{ row.id }}\">s</a>\
<b onclick=\"like({{ row.id }})\">+</b></td></tr>{% endfor %}</table>"
)]
struct Rich<'r> {
    rows: &'r [Row],
}

const PAGES: [(&str, &str); 2] = [("plain", PLAIN), ("five", RICH)];

type Render = Box<dyn Fn() -> String>;

/// The renderers of one page: haechi, minijinja, askama.
fn engines(page: &'static str) -> [(&'static str, Render); 3] {
    let source = PAGES.iter().find(|(name, _)| *name == page).expect("the page is plain or five").1;
    let rows: Vec<Row> = (1..=13)
        .map(|id| Row {
            id,
            message: "A computer program does what you tell it to do, not what you want",
            class: "row-even",
            url: "/posts/a-computer-program",
        })
        .collect();
    let values = rows.iter().map(|row| {
        Value::from_pairs([
            ("id", Value::from(row.id)),
            ("message", Value::from(row.message)),
            ("class", Value::from(row.class)),
            ("url", Value::from(row.url)),
        ])
    });
    let data = Value::from_pairs([("rows", Value::from(values.collect::<Vec<_>>()))]);
    let ours = Templates::embedded(&[("p.html", source)]).build().expect("the page is well-formed");
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_fuel(Some(5_000_000));
    env.add_template("p.html", source).expect("the page is well-formed");
    let (same, empty) = (data.clone(), Page::new());
    let ours = move || ours.render_value("p.html", &data, &empty).expect("it renders");
    let theirs =
        move || env.get_template("p.html").and_then(|template| template.render(&same)).expect("it renders");
    let compiled: Render = if page == "plain" {
        Box::new(move || Plain { rows: &rows }.render().expect("it renders"))
    } else {
        Box::new(move || Rich { rows: &rows }.render().expect("it renders"))
    };
    [("haechi", Box::new(ours)), ("minijinja", Box::new(theirs)), ("askama", compiled)]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [engine, page, calls] = arguments.as_slice() {
        let page = PAGES.iter().find(|(name, _)| name == page).expect("the page is plain or five").0;
        let engines = engines(page);
        let render = &engines.iter().find(|(name, _)| name == engine).expect("the engine is one of three").1;
        for _ in 0..calls.parse().expect("a number of calls") {
            std::hint::black_box(render());
        }
        return;
    }
    for (page, _) in PAGES {
        let engines = engines(page);
        let mut best = [f64::MAX; 3];
        for _ in 0..60 {
            for (best, (_, render)) in best.iter_mut().zip(&engines) {
                *best = best.min(time(render));
            }
        }
        let [ours, minijinja, askama] = best;
        println!(
            "{page}: haechi {ours:.2} us, minijinja {minijinja:.2} us (x{:.3}), askama {askama:.2} us (x{:.1})",
            ours / minijinja,
            ours / askama
        );
    }
}

/// Microseconds a call.
fn time(render: &Render) -> f64 {
    const CALLS: u32 = 300;
    let start = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(render());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}
