//! The minijinja environment: nothing in it renders text that was not analysed.

use haechi_context::Escaper;
use minijinja::{AutoEscape, Environment, State, Value};

use crate::name::Kind;
use crate::pass::TEXT_VARIANT;
use crate::settings::Settings;
use crate::{escape, filters};

/// An environment without templates.
pub(crate) fn environment(settings: &Settings) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(auto_escape);
    env.set_formatter(escape::format);
    env.set_fuel(Some(settings.fuel));
    filters::install(&mut env);
    env
}

/// Adds the filter of an escaper, with the short way for values that the place cannot change.
pub(crate) fn add_escaper(env: &mut Environment<'static>, escaper: Escaper) {
    let Some(name) = escape::filter_name(escaper) else { return };
    match short_way(escaper) {
        ShortWay::Plain => env.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            escape::apply_plain(escaper, state, value)
        }),
        ShortWay::Url => env.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            escape::apply_url::<true>(escaper, state, value)
        }),
        ShortWay::UrlPart => {
            env.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
                escape::apply_url::<false>(escaper, state, value)
            });
        }
        ShortWay::Word => env.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            escape::apply_word(escaper, state, value)
        }),
        ShortWay::Code => env.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            escape::apply_code(escaper, state, value)
        }),
        ShortWay::None => env.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            escape::apply(escaper, state, value)
        }),
    }
}

/// Which values an escaper leaves as they are; a test compares each short way with the whole one.
#[derive(Clone, Copy, Debug)]
enum ShortWay {
    Plain,
    Url,
    UrlPart,
    Word,
    Code,
    None,
}

fn short_way(escaper: Escaper) -> ShortWay {
    match escaper.id().as_str() {
        "plain_attr" => ShortWay::Plain,
        "url" | "url_attr" | "url_media" | "url_media_attr" => ShortWay::Url,
        "url_component" | "url_component_attr" | "url_first_attr" | "url_path" | "url_path_attr"
        | "url_segment_attr" => ShortWay::UrlPart,
        "css" | "css_attr" | "js_string" | "js_string_attr" => ShortWay::Word,
        "js" | "js_attr" => ShortWay::Code,
        _ => ShortWay::None,
    }
}

/// Every template is HTML, whatever its name ends in, except a plain text file under its own name.
fn auto_escape(name: &str) -> AutoEscape {
    let plain = name.ends_with(TEXT_VARIANT) || (!name.contains('#') && Kind::of(name) == Kind::Text);
    if plain { AutoEscape::None } else { AutoEscape::Html }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_is_the_whole_way() {
        let texts = [
            "",
            "a",
            "/a/b-c_d",
            "//a",
            "/",
            "a/b",
            "a:b",
            "-a",
            "<b>",
            "a\"'&\r",
            "\u{e9}",
            "expression",
            "a--b",
            "a b.c",
            "Expression",
            "xexpressio",
            " a ",
            "a_b",
        ];
        let more = [
            "javascript:alert",
            "a longer text than fits inline, surely",
            "/a-longer-path/than-fits/inline_surely",
        ];
        let mut values: Vec<Value> = texts.into_iter().chain(more).map(Value::from).collect();
        values.extend([0, 7, 10, 42, 99, 100, 1_000_000, -1].map(Value::from));
        values.extend(["<b>&amp;", "plain"].map(|html| Value::from_safe_string(html.into())));
        values.extend([Value::from(true), Value::from(()), Value::UNDEFINED, Value::from(1.5)]);
        for escaper in Escaper::all() {
            let Some(name) = escape::filter_name(escaper) else { continue };
            let mut env = environment(&Settings::default());
            add_escaper(&mut env, escaper);
            env.add_filter("whole", move |state: &State<'_, '_>, value: &Value| {
                escape::whole(escaper, state, value)
            });
            let source = format!("{{{{ x|{name} }}}}\n{{{{ x|whole }}}}");
            env.add_template_owned("p.html", source).expect("it parses");
            for value in &values {
                let data = Value::from_pairs([("x", value.clone())]);
                let page = env.get_template("p.html").and_then(|page| page.render(data)).expect("it renders");
                let half = page.len() / 2;
                assert_eq!(page[..half], page[half + 1..], "{name} of {value:?}");
            }
        }
    }
}
