//! Files from strangers: too large, of another kind than they say, with names that lead elsewhere, and handed out again.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use haechi::axum::Router;
use haechi::axum::routing::{get, post};
use haechi::{Download, FileId, FileKind, Path, Result, Site, Upload};
use haechi_test::{Answer, Client, Shot};
use serde::Deserialize;

use crate::site::{Browser, config};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR<script>alert(1)</script>";
const PAGE: &[u8] = b"<!doctype html><script>alert(1)</script>";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caption {
    caption: String,
}

async fn add(site: Site, mut upload: Upload<Caption>) -> Result<String> {
    let file = upload.take("picture")?.accept(&[FileKind::Png, FileKind::Jpeg, FileKind::Text])?;
    let id = site.uploads().keep(&file).await?;
    Ok(format!("{id} {:?} {} {}", file.kind(), upload.form.caption, file.name()))
}

async fn show(site: Site, Path(id): Path<String>) -> Result<Download> {
    let bytes = site.uploads().read(&FileId::parse(&id)?).await?;
    let kind = FileKind::of(&bytes).unwrap_or(FileKind::Text);
    Ok(Download::new(kind, "해치.png", bytes))
}

async fn open(name: &str) -> (Browser, PathBuf) {
    let mut config = config();
    config.data = std::env::temp_dir().join(format!("haechi-upload-{}-{name}", std::process::id()));
    let data = config.data.clone();
    let routes = Router::new().route("/files", post(add)).route("/files/{id}", get(show));
    let app = haechi::App::new("x").public(routes).accounts(haechi::Accounts::default());
    let (_, service) = app.into_service(config).await.unwrap();
    let mut browser = Client::new(service, "http://localhost");
    browser.get("/accounts/login").await;
    (browser, data)
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    part(&format!("name=\"picture\"; filename=\"{name}\""), content)
}

async fn send(browser: &mut Browser, parts: &[Vec<u8>]) -> Answer {
    send_to("/files", browser, parts).await
}

async fn send_to(path: &str, browser: &mut Browser, parts: &[Vec<u8>]) -> Answer {
    let token = part("name=\"csrf_token\"", browser.token().unwrap().as_bytes());
    let body = [token, parts.concat(), b"--b--\r\n".to_vec()].concat();
    let shot = Shot::new("POST", path).header("sec-fetch-site", "same-origin");
    browser.request(shot.body("multipart/form-data; boundary=b", body)).await
}

async fn sent(browser: &mut Browser, name: &str, content: &[u8]) -> Answer {
    send(browser, &[part("name=\"caption\"", b"a lion"), file(name, content)]).await
}

/// asvs_5_2_2, asvs_1_3_4: name and content have to agree on a kind that is asked for; whatever can hold a script is none.
#[tokio::test]
async fn asvs_5_2_2_a_file_is_what_its_name_and_its_content_both_say() {
    let (mut browser, data) = open("kind").await;
    for (name, content) in [("a.png", PNG), ("a.PNG", PNG), ("a.txt", b"plain"), ("a.txt", PAGE)] {
        assert_eq!(sent(&mut browser, name, content).await.status, 200, "{name}");
    }
    let jpeg = b"\xff\xd8\xff\xe0";
    for (name, content) in [
        ("a.png", PAGE),
        ("a.png", jpeg),
        ("a.jpg", PNG),
        ("a.html", PAGE),
        ("a.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"),
        ("a.png", b"<svg onload=\"alert(1)\"/>"),
        ("a.png.html", PNG),
        ("a.php", PNG),
        ("a", PNG),
        ("a.png", b""),
        ("a.gif", b"GIF89a;"),
        ("a.txt", b"a\0b"),
        ("a.txt", b"\xff\xfe\0a"),
        ("a.png ", PNG),
        ("a.png;x.html", PNG),
    ] {
        assert_eq!(sent(&mut browser, name, content).await.status, 422, "{name}");
    }
    assert_eq!(std::fs::read_dir(data.join("uploads")).unwrap().count(), 4);
    std::fs::remove_dir_all(data).unwrap();
}

/// asvs_5_3_2, asvs_5_3_1, asvs_5_4_1: what a stranger calls a file chooses no path and no ending, and nobody but us reads it.
#[tokio::test]
async fn asvs_5_3_2_no_name_of_a_stranger_reaches_the_disk() {
    let (mut browser, data) = open("name").await;
    let folder = data.join("uploads");
    for name in [
        "../../../etc/cron.d/x.png",
        "..\\..\\x.png",
        "/etc/x.png",
        "C:\\x.png",
        "\\\\host\\x.png",
        "x.php/.png",
        "....//x.png",
        "%2e%2e%2fx.png",
        "..%2fx.png",
        "x\u{202e}gpj.png",
        "CON.png",
        ".htaccess.png",
        "-rf.png",
        "~/x.png",
        "$(id).png",
        "`id`.png",
        "|id.png",
        "x;id.png",
        "file:x.png",
        "a:b.png",
        "해치.png",
        "'.png",
    ] {
        let answer = sent(&mut browser, name, PNG).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let text = answer.text();
        let (id, shown) = text.split_once(" Png a lion ").unwrap();
        assert!(!shown.contains(['/', '\\', '\u{202e}']), "{shown}");
        assert_eq!(std::fs::read(folder.join(id)).unwrap(), PNG);
    }
    let kept: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(kept.len(), 22);
    for entry in kept {
        let name = entry.file_name().into_string().unwrap();
        assert!(name.len() == 43 && !name.contains('.'), "{name}");
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for id in
        ["..%2f..%2fsecret.key", "..", "%2e%2e", "x", &"A".repeat(42), &format!("{}%2f", "A".repeat(42))]
    {
        assert_eq!(browser.get(&format!("/files/{id}")).await.status, 404, "{id}");
    }
    std::fs::remove_dir_all(data).unwrap();
}

/// asvs_5_2_1: the limit holds for all parts together, whatever length is announced.
#[tokio::test]
async fn asvs_5_2_1_a_file_above_the_limit_is_refused() {
    let (mut browser, data) = open("size").await;
    let fits = [PNG, &vec![b'x'; 1_900_000]].concat();
    assert_eq!(sent(&mut browser, "a.png", &fits).await.status, 200);
    let above = [PNG, &vec![b'x'; 2_200_000]].concat();
    assert_eq!(sent(&mut browser, "a.png", &above).await.status, 413);
    // Files that nobody asked for, beside a form that is right but for their number; the token is a part, too.
    let right = [part("name=\"caption\"", b"a lion"), file("a.png", PNG)];
    let extra = |number: usize| part(&format!("name=\"f{number}\"; filename=\"x\""), b"x");
    for (files, status) in [(997, 200), (998, 400)] {
        let parts: Vec<_> = right.iter().cloned().chain((0..files).map(extra)).collect();
        assert_eq!(send(&mut browser, &parts).await.status, status, "{files} more files");
    }
    std::fs::remove_dir_all(data).unwrap();
}

/// asvs_5_2_1: a route that takes more does so for itself.
#[tokio::test]
async fn a_route_may_take_larger_files_than_the_others() {
    let mut config = config();
    config.data = std::env::temp_dir().join(format!("haechi-upload-{}-wide", std::process::id()));
    let data = config.data.clone();
    let routes = Router::new().route("/files", post(add)).route("/other", post(add));
    let app = haechi::App::new("x").public(routes).accounts(haechi::Accounts::default());
    let (_, service) = app.body_limit("/files", 8 * 1024 * 1024).into_service(config).await.unwrap();
    let mut browser = Client::new(service, "http://localhost");
    browser.get("/accounts/login").await;
    let large = [PNG, &vec![b'x'; 6_000_000]].concat();
    assert_eq!(sent(&mut browser, "a.png", &large).await.status, 200);
    let larger = [PNG, &vec![b'x'; 9_000_000]].concat();
    assert_eq!(sent(&mut browser, "a.png", &larger).await.status, 413);
    let parts = [part("name=\"caption\"", b"a lion"), file("a.png", &large)];
    assert_eq!(send_to("/other", &mut browser, &parts).await.status, 413);
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
async fn a_limit_for_a_route_that_is_not_there_is_no_start() {
    for (path, bytes, expected) in [
        ("/files", 10, None),
        ("/file", 10, Some("body_limit names the route /file, which does not exist; `routes` lists them")),
        ("/files/", 10, Some("which does not exist")),
    ] {
        let app = haechi::App::new("x").public(Router::new().route("/files", post(add)));
        let built = app.body_limit(path, bytes).into_service(config()).await;
        match (built.err().map(|error| error.to_string()), expected) {
            (None, None) => {}
            (Some(error), Some(part)) => assert!(error.contains(part), "{error}"),
            (error, _) => panic!("{path}: {error:?}"),
        }
    }
    let app = haechi::App::new("x").public(Router::new().route("/files", post(add)));
    let twice = app.body_limit("/files", 1).body_limit("/files", 2).into_service(config()).await;
    assert!(twice.unwrap_err().to_string().contains("/files twice"));
}

#[tokio::test]
async fn a_multipart_form_is_read_as_strictly_as_any() {
    let (mut browser, data) = open("form").await;
    let caption = || part("name=\"caption\"", b"a lion");
    for (parts, status) in [
        (vec![caption()], 422),
        (vec![caption(), file("", b"")], 422),
        (vec![caption(), file("a.png", PNG), file("b.png", PNG)], 422),
        (vec![file("a.png", PNG)], 400),
        (vec![caption(), caption(), file("a.png", PNG)], 400),
        (vec![caption(), part("name=\"owner\"", b"1"), file("a.png", PNG)], 400),
        (vec![part("name=\"caption\"", b"\xff"), file("a.png", PNG)], 400),
        (vec![b"--b\r\nbroken".to_vec()], 400),
    ] {
        let answer = send(&mut browser, &parts).await;
        assert_eq!(answer.status, status, "{parts:?}: {}", answer.text());
    }
    let form = Shot::new("POST", "/files").header("sec-fetch-site", "same-origin");
    let form = form.header("x-csrf-token", browser.token().unwrap());
    let form = form.body("application/x-www-form-urlencoded", "caption=x");
    assert_eq!(browser.request(form).await.status, 415);
    drop(std::fs::remove_dir_all(data));
}

/// asvs_3_2_1, asvs_5_4_2: opened as a page, a file of a stranger has no rights here, runs nothing and is what its kind says.
#[tokio::test]
async fn asvs_3_2_1_a_file_of_a_stranger_is_handed_out_so_that_nothing_runs() {
    let (mut browser, data) = open("download").await;
    for (name, content, kind) in [("a.txt", PAGE, "text/plain; charset=utf-8"), ("a.png", PNG, "image/png")] {
        let kept = sent(&mut browser, name, content).await.text();
        let id = kept.split(' ').next().unwrap().to_owned();
        let shown = browser.get(&format!("/files/{id}")).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.header("content-type"), kind);
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        assert_eq!(
            shown.header("content-disposition"),
            "attachment; filename=\"__.png\"; filename*=UTF-8''%ED%95%B4%EC%B9%98.png"
        );
        let policy = shown.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.ends_with("; sandbox"), "{policy}");
        assert_eq!(shown.headers.get_all("content-security-policy").iter().count(), 1);
        let framed = Shot::new("GET", &format!("/files/{id}"))
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-dest", "iframe");
        assert_eq!(browser.request(framed).await.status, 403);
    }
    std::fs::remove_dir_all(data).unwrap();
}
