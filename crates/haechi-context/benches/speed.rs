//! What the machine costs for each kilobyte of a template, and an escaper for each value.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use haechi_context::{Context, Escaper, Value};

/// Nanoseconds of one run, the least of several rounds.
fn measure(mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..7 {
        let (start, mut runs) = (Instant::now(), 0_u32);
        while start.elapsed() < Duration::from_millis(20) {
            run();
            runs += 1;
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(runs));
    }
    least
}

fn main() {
    for (name, piece) in [
        ("text", "<p>A paragraph of plain text that goes on for a while.</p>\n"),
        ("tags", "<a class=\"b c\" href=\"/d/e?f=g&amp;h=i\" title='j'>k</a>\n"),
        ("script", "<script>const a = { b: [1, 'c', `d${e}`], f: /g[/]/.test(h) }; // i\n</script>\n"),
        ("style", "<style>.a > b { color: #c00; background: url(/d.png) no-repeat } /* e */</style>\n"),
    ] {
        let text = piece.repeat(1024 * 16 / piece.len());
        let ns = measure(|| {
            black_box(Context::html().advance(black_box(&text)).unwrap());
        });
        println!("advance {name:>8}: {:8.0} ns per KB", ns / 16.0);
    }
    let value = Value::Text("Two words & a \"quoted\" one: it's 50% <b>");
    let mut out = String::new();
    for escaper in Escaper::all().filter(|escaper| escaper.id().ends_with("_attr") || escaper.is_html_text())
    {
        let ns = measure(|| {
            out.clear();
            escaper.escape(black_box(&value), black_box(&mut out));
        });
        println!("escape {:>26}: {ns:6.0} ns", escaper.id());
    }
}
