//! The attribute tables, walked: every name once, and the escaper a value in it gets.

use haechi_context::Context;

#[track_caller]
fn check(expected: &str, element: &str, names: &[&str]) {
    for name in names {
        let mut context = Context::html();
        let tag = format!("<{element} {name}=\"");
        let found = match context.advance(&tag).and_then(|_| context.emit()) {
            Ok(escaper) => escaper.id(),
            Err(error) => error.code().id().to_owned(),
        };
        assert_eq!(found, expected, "{tag}");
    }
}

#[test]
fn code_attributes_are_javascript() {
    for prefix in [
        "on",
        "data-on",
        "hx-on",
        "data-hx-on",
        "up-on",
        "(",
        "[",
        "*",
        "@",
        ":",
        "v-",
        "ng-",
        "ng:",
        "wire:",
        "data-ng-",
        "x-",
    ] {
        check("js_attr", "p", &[&format!("{prefix}a"), &format!("{}a", prefix.to_uppercase())]);
    }
    check("js_attr", "p", &["data-bind", "hx-vals", "hx-vars", "hx-headers", "hx-request"]);
    check("js_attr", "p", &["data-hx-vals", "data-hx-vars", "data-hx-headers", "data-hx-request"]);
    check("plain_attr", "p", &["x-ref", "x-cloak", "x-teleport", "o", "data-o", "data-v-a", "aria-onclick"]);
}

#[test]
fn policy_attributes_hold_no_value() {
    check("static-attribute", "p", &["hx-trigger", "data-hx-trigger", "hx-ext", "data-hx-ext", "hx-disable"]);
    check("static-attribute", "p", &["hx-disinherit", "_", "script", "data-script", "xmlns", "xmlns:xlink"]);
    check(
        "static-attribute",
        "p",
        &["http-equiv", "is", "integrity", "attributename", "attributeName", "method"],
    );
    check("static-attribute", "p", &["formmethod", "enctype", "formenctype"]);
    check("static-attribute", "script", &["type", "language", "charset"]);
    check("static-attribute", "link", &["rel", "as", "charset"]);
    check("static-attribute", "iframe", &["sandbox", "allow", "csp"]);
    check("static-attribute", "meta", &["charset"]);
    for element in ["style", "object", "embed"] {
        check("static-attribute", element, &["type"]);
    }
}

#[test]
fn urls_are_checked_for_what_the_browser_does_with_them() {
    let links =
        ["href", "src", "action", "formaction", "cite", "longdesc", "usemap", "manifest", "profile", "data"];
    check("url_attr", "p", &links);
    check("url_attr", "p", &["ping", "archive", "codebase", "classid", "lowsrc", "dynsrc", "xlink:href"]);
    check("url_attr", "p", &["hx-get", "hx-post", "hx-put", "hx-delete", "hx-patch", "hx-push-url"]);
    check(
        "url_attr",
        "p",
        &["hx-replace-url", "data-hx-get", "data-url", "data-uri", "data-href", "data-src"],
    );
    check("url_attr", "p", &["data-lazy-src", "data-action", "my-url"]);
    for element in ["img", "video", "audio", "source", "track", "input", "image"] {
        check("url_media_attr", element, &["src", "href", "poster"]);
    }
    check("url_media_attr", "p", &["poster", "background", "icon"]);
    for element in ["iframe", "frame"] {
        check("url_frame_attr", element, &["src"]);
    }
    for element in ["animate", "animateMotion", "animateTransform", "set"] {
        check("url_animation_attr", element, &["values", "to", "from", "by"]);
    }
    check("url_resource_attr", "script", &["src", "href", "xlink:href"]);
    check("url_resource_attr", "object", &["data", "codebase", "classid"]);
    check("url_resource_attr", "embed", &["src"]);
    check("url_resource_attr", "applet", &["code", "archive"]);
    for element in ["base", "use", "feImage", "link", "link rel=stylesheet", "link rel=\"icon stylesheet\""] {
        check("url_resource_attr", element, &["href"]);
    }
    for rel in [
        "alternate",
        "apple-touch-icon",
        "author",
        "bookmark",
        "canonical",
        "cite",
        "dns-prefetch",
        "help",
        "icon",
        "license",
        "me",
        "next",
        "preconnect",
        "prev",
        "search",
        "shortcut",
        "shortlink",
        "webmention",
        "\"shortcut icon\"",
    ] {
        check("url_attr", &format!("link rel={rel}"), &["href"]);
    }
}

#[test]
fn the_rest_is_style_images_documents_or_text() {
    check("css_attr", "p", &["style"]);
    check("srcset_attr", "img", &["srcset", "imagesrcset"]);
    check("html_attr", "iframe", &["srcdoc"]);
    check(
        "plain_attr",
        "p",
        &["title", "alt", "class", "id", "name", "value", "data-a", "aria-a", "values", "to"],
    );
    check("plain_attr", "meta", &["content"]);
    check("static-attribute", "meta http-equiv=content-security-policy", &["content"]);
    check("meta-refresh", "meta http-equiv=Refresh", &["content"]);
}
