//! The templates: the application's, and below them haechi's own, which an application overrides by name.

use std::sync::Arc;

use haechi_template::value::Value;
use haechi_template::{Builder, State, Templates};

use crate::app::AddFunction;
use crate::language::Catalogue;
use crate::static_files::StaticFiles;
use crate::{Embedded, refusal_page, template_failure};

/// haechi's own pages.
pub(crate) const OWN: &[(&str, &str)] = &[
    ("base.html", include_str!("../templates/base.html")),
    ("accounts/confirm.html", include_str!("../templates/accounts/confirm.html")),
    ("accounts/devices.html", include_str!("../templates/accounts/devices.html")),
    ("accounts/email.html", include_str!("../templates/accounts/email.html")),
    ("accounts/field.html", include_str!("../templates/accounts/field.html")),
    ("accounts/login.html", include_str!("../templates/accounts/login.html")),
    ("accounts/password_change.html", include_str!("../templates/accounts/password_change.html")),
    ("accounts/password_reset.html", include_str!("../templates/accounts/password_reset.html")),
    ("accounts/password_set.html", include_str!("../templates/accounts/password_set.html")),
    ("accounts/signup.html", include_str!("../templates/accounts/signup.html")),
    (refusal_page::TEMPLATE, include_str!("../templates/haechi/refused.html")),
    (template_failure::TEMPLATE, include_str!("../templates/haechi/template_failure.html")),
    ("accounts/throttled.html", include_str!("../templates/accounts/throttled.html")),
];

/// Loads and analyses every template.
///
/// # Errors
///
/// Every problem of every template at once.
pub(crate) fn load(
    folders: &[Embedded],
    development: bool,
    static_files: &StaticFiles,
    catalogue: &Catalogue,
    functions: Vec<AddFunction>,
    form_field: &'static str,
) -> Result<Templates, haechi_template::Error> {
    let mut builder = None;
    for folder in folders {
        builder = Some(match (folder.folder().filter(|_| development), builder.take()) {
            (Some(path), None) => Templates::dir(path),
            (Some(path), Some(builder)) => Builder::then_dir(builder, path),
            (None, None) => Templates::embedded(&texts(folder)),
            (None, Some(builder)) => builder.then_embedded(&texts(folder)),
        });
    }
    let mut builder = match builder {
        Some(builder) => builder.then_embedded(OWN),
        None => Templates::embedded(OWN),
    };
    if development {
        builder = builder.reload_on_render();
    }
    let (assets, files) = (static_files.clone(), static_files.clone());
    for add in functions {
        builder = add(builder);
    }
    let catalogue = Arc::new(catalogue.clone());
    builder
        .csrf_field(form_field)
        .assets(move |address| assets.asset(address))
        .function("static", move |name: &str| files.address(name))
        .function("t", move |state: &State<'_, '_>, text: &str| {
            let language = state.lookup("lang");
            let language = language.as_ref().and_then(|value| value.as_str()).unwrap_or("en");
            catalogue.translate(language, text).to_owned()
        })
        .function("can", |state: &State<'_, '_>, permission: &str| {
            state.lookup(HELD).is_some_and(|held| holds(&held, permission))
        })
        .build()
}

/// Whether a user holds a permission; what is missing denies.
fn holds(held: &Value, permission: &str) -> bool {
    if held.get_attr("everything").is_ok_and(|everything| everything.is_true()) {
        return true;
    }
    let names = held.get_attr("names").and_then(|names| names.try_iter());
    names.is_ok_and(|mut names| names.any(|name| name.as_str() == Some(permission)))
}

/// Tells whether a template may ask `can(…)`: only then are permissions read for every page. The word alone counts,
/// for a macro or a variable may hide the call.
pub(crate) fn ask_permissions(folders: &[Embedded]) -> bool {
    folders.iter().flat_map(texts).any(|(_, text)| text.windows(3).any(|word| word == b"can"))
}

/// The value of a page that holds what its user may do.
pub(crate) const HELD: &str = "_permissions";

fn texts(folder: &Embedded) -> Vec<(String, Vec<u8>)> {
    let read = |name: std::borrow::Cow<'static, str>| {
        let bytes = folder.read(&name).unwrap_or_default();
        (name.into_owned(), bytes.into_owned())
    };
    folder.names().into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const BROKEN: Embedded = Embedded::new(
        "/nowhere",
        || vec![Cow::Borrowed("a.html"), Cow::Borrowed("b.html")],
        |name| Some(Cow::Borrowed(if name == "a.html" { b"<p>caf\xe9" } else { b"<p>a" })),
    );

    #[test]
    fn an_embedded_template_that_is_not_utf8_does_not_start() {
        let (files, catalogue) = (StaticFiles::default(), Catalogue::default());
        let refused = load(&[BROKEN], false, &files, &catalogue, Vec::new(), "csrf_token").unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains("a.html") && text.contains("[not-utf8]") && text.contains("1 problem"),
            "{text}"
        );
    }
}
