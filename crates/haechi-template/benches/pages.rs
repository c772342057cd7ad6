//! What deciding the escaping by place costs at render time: two pages, against minijinja that escapes HTML only.
//!
//! `cargo bench -p haechi-template`. Each figure is the best of many runs, interleaved, so that noise cancels out.

use std::time::Instant;

use haechi_template::{Page, Templates, value::Value};
use minijinja::{AutoEscape, Environment};

const PLAIN: &str = "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th>\
    <th>message</th></tr>{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.message }}</td></tr>{% endfor %}\
    </table></body></html>";

const RICH: &str = "<table>{% for row in rows %}<tr class=\"{{ row.class }}\" style=\"width: {{ row.id }}%\">\
    <td><a href=\"{{ row.url }}\">{{ row.message }}</a><a href=\"/s?q={{ row.class }}&amp;n={{ row.id }}\">s</a>\
    <b onclick=\"like({{ row.id }})\">+</b></td></tr>{% endfor %}</table>";

fn main() {
    let rows: Vec<Value> = (1..=13)
        .map(|id| {
            Value::from_pairs([
                ("id", Value::from(id)),
                ("message", Value::from("A computer program does what you tell it to do, not what you want")),
                ("class", Value::from("row-even")),
                ("url", Value::from("/posts/a-computer-program")),
            ])
        })
        .collect();
    let data = Value::from_pairs([("rows", Value::from(rows))]);
    for (name, source) in [("plain", PLAIN), ("five contexts", RICH)] {
        let ours = Templates::embedded(&[("p.html", source)]).build().expect("the page is well-formed");
        let mut env = Environment::new();
        env.set_auto_escape_callback(|_| AutoEscape::Html);
        env.set_fuel(Some(5_000_000));
        env.add_template("p.html", source).expect("the page is well-formed");
        let page = Page::new();
        let (mut best_ours, mut best_theirs) = (f64::MAX, f64::MAX);
        for _ in 0..60 {
            best_ours =
                best_ours.min(time(|| ours.render_value("p.html", &data, &page).expect("it renders")));
            let template = || env.get_template("p.html").and_then(|template| template.render(&data));
            best_theirs = best_theirs.min(time(|| template().expect("it renders")));
        }
        println!(
            "{name}: haechi {best_ours:.2} us, minijinja {best_theirs:.2} us, x{:.2}",
            best_ours / best_theirs
        );
    }
}

/// Microseconds a call.
fn time(render: impl Fn() -> String) -> f64 {
    const CALLS: u32 = 300;
    let start = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(render());
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS)
}
