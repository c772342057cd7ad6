//! Templates in a folder: layers, changed files, broken files.

use std::fs;
use std::path::{Path, PathBuf};

use haechi_template::{Error, Templates};

use super::page;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("haechi-template-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("sub")).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Path {
        fs::write(self.0.join(name), text).unwrap();
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn a_changed_file_and_its_users_are_analysed_again() {
    let folder = Folder::new("reload");
    folder.write("base.html", "<title>{% block t %}{% endblock %}</title>");
    folder.write("sub/page.html", "{% extends 'base.html' %}{% block t %}x{% endblock %}");
    let templates = Templates::dir(&folder.0).build().unwrap();
    assert!(!templates.reload().unwrap());
    folder.write("base.html", "<b title=\"{% block t %}{% endblock %}\">changed");
    assert!(templates.reload().unwrap());
    assert_eq!(templates.render("sub/page.html", &(), &page()).unwrap(), "<b title=\"x\">changed");
    folder.write("base.html", "{% if %}");
    assert!(templates.reload().is_err());
    let shown = templates.render("sub/page.html", &(), &page()).unwrap_err().to_string();
    assert!(shown.contains("base.html:1:"), "{shown}");
    folder.write("base.html", "{% block t %}{% endblock %}!!");
    assert!(templates.reload().unwrap());
    assert_eq!(templates.render("sub/page.html", &(), &page()).unwrap(), "x!!");
    fs::remove_file(folder.0.join("base.html")).unwrap();
    assert!(templates.reload().unwrap_err().to_string().contains("not-found"));
}

#[test]
fn development_looks_before_each_render() {
    let folder = Folder::new("poll");
    folder.write("p.html", "one");
    let templates = Templates::dir(&folder.0).reload_on_render().build().unwrap();
    folder.write("p.html", "three");
    assert_eq!(templates.render("p.html", &(), &page()).unwrap(), "three");
}

#[test]
fn the_application_overrides_the_defaults() {
    let folder = Folder::new("layers");
    folder.write("login.html", "own {% include 'part.html' %}");
    let defaults = [("login.html", "default"), ("part.html", "part"), ("other.html", "other")];
    let templates = Templates::dir(&folder.0).then_embedded(&defaults).build().unwrap();
    assert_eq!(templates.render("login.html", &(), &page()).unwrap(), "own part");
    assert_eq!(templates.render("other.html", &(), &page()).unwrap(), "other");
    fs::remove_file(folder.0.join("login.html")).unwrap();
    assert!(templates.reload().unwrap());
    assert_eq!(templates.render("login.html", &(), &page()).unwrap(), "default");
    let two =
        Templates::embedded(&[("a.html", "first")]).then_embedded(&[("a.html", "second")]).build().unwrap();
    assert_eq!(two.render("a.html", &(), &page()).unwrap(), "first");
}

#[test]
fn a_file_that_is_not_utf8_is_an_error() {
    let folder = Folder::new("bytes");
    folder.write("p.html", b"caf\xe9");
    folder.write("logo.png", b"\x89PNG\xff");
    let Err(Error::Refused(problems)) = Templates::dir(&folder.0).build() else { panic!("loaded") };
    assert_eq!(problems.iter().map(|one| one.code).collect::<Vec<_>>(), ["not-utf8"]);
    assert!(matches!(Templates::dir(folder.0.join("none")).build(), Err(Error::Read { .. })));
}

#[test]
fn an_embedded_file_that_is_not_utf8_is_an_error_too() {
    let error = Templates::embedded(&[("a.html", b"<p>caf\xe9".as_slice())]).build().unwrap_err().to_string();
    assert!(
        error.contains("a.html") && error.contains("not-utf8") && error.contains("save the file as UTF-8"),
        "{error}"
    );
}
