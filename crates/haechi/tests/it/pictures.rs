//! The example `pictures`, served: what curl sends it, as large as it may be and larger.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

struct Pictures {
    process: Child,
    address: String,
    folder: PathBuf,
}

impl Pictures {
    /// Starts the example; `None`, with a printed line, where there is no curl.
    fn start() -> Option<Self> {
        if Command::new("curl").arg("--version").output().is_err() {
            assert!(std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "curl is required and missing");
            println!("skipped: no curl");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("haechi-pictures-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let here = std::env::current_exe().unwrap();
        let mut process = Command::new(here.ancestors().nth(2).unwrap().join("examples/pictures"))
            .env("HAECHI_BIND", "127.0.0.1:0")
            .env("HAECHI_DATA", folder.join("data"))
            .env_remove("HAECHI_DATABASE_URL")
            .env_remove("HAECHI_CONFIG")
            .current_dir(&folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("pictures does not start ({error}): build the examples first"));
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let address = lines.find(|line| line.trim().starts_with("http://")).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, address: address.trim().to_owned(), folder })
    }

    /// Returns what curl prints of an answer: the body, and its status on a line of its own.
    fn curl(&self, path: &str, arguments: &[&str]) -> String {
        let jar = self.folder.join("jar");
        let output = Command::new("curl")
            .args(["-s", "-m", "60", "-w", "\n%{http_code}", "-b"])
            .args([&jar, Path::new("-c"), &jar])
            .args(arguments)
            .arg(format!("{}{path}", self.address))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn status(&self, path: &str, arguments: &[&str]) -> String {
        self.curl(path, arguments).rsplit('\n').next().unwrap().to_owned()
    }

    fn token(&self, path: &str) -> String {
        let page = self.curl(path, &[]);
        let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").unwrap();
        format!("csrf_token={}", rest.split('"').next().unwrap())
    }

    /// Writes a picture of so many bytes.
    fn picture(&self, bytes: usize) -> String {
        let path = self.folder.join(format!("{bytes}.png"));
        let mut content = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        content.resize(bytes, b'x');
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// asvs_5_2_1: a limit holds on the wire as it does in the stack, however the length is told, and for its own route alone.
#[test]
fn asvs_5_2_1_a_served_route_takes_what_its_own_limit_says_and_no_more() {
    let Some(site) = Pictures::start() else { return };
    let same = ["-H", "Sec-Fetch-Site: same-origin"];
    let typed = [
        "username=ada",
        "email=",
        "password=correct horse battery",
        "next=/",
        &site.token("/accounts/signup"),
    ]
    .map(str::to_owned);
    let fields: Vec<&str> = typed.iter().flat_map(|field| ["--data-urlencode", field]).collect();
    assert_eq!(site.status("/accounts/signup", &[&same[..], &fields].concat()), "303");
    let token = site.token("/");
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    let send = |path: &str, bytes: usize, told: &[&str]| {
        let picture = format!("picture=@{}", site.picture(bytes));
        site.status(
            path,
            &[&same[..], told, &["-F", &token, "-F", "caption=a lion", "-F", &picture]].concat(),
        )
    };
    for told in [&[][..], &chunked] {
        assert_eq!(send("/pictures", 6_000_000, told), "303", "{told:?}");
        assert_eq!(send("/pictures", 8_380_000, told), "303", "{told:?}");
        for above in [8_390_000, 20_000_000] {
            assert_eq!(send("/pictures", above, told), "413", "{above} {told:?}");
        }
    }
    // Elsewhere what is announced is refused, and what is not stays unread where nobody asks for it.
    for other in ["/", "/pictures/1", "/accounts/password/change", "/nowhere", "/pictures/"] {
        assert_eq!(send(other, 3_000_000, &[]), "413", "{other}");
    }
    for (other, status) in [("/", "405"), ("/nowhere", "404"), ("/accounts/password/change", "415")] {
        assert_eq!(send(other, 3_000_000, &chunked), status, "{other}");
    }
    std::fs::write(site.folder.join("page.png"), "<!doctype html>").unwrap();
    let picture = format!("picture=@{}", site.folder.join("page.png").display());
    let refused = [&same[..], &["-F", &token, "-F", "caption=a wolf", "-F", &picture]].concat();
    let form = site.curl("/pictures", &refused);
    assert!(
        form.ends_with("\n422") && form.contains("Choose a PNG") && form.contains("value=\"a wolf\""),
        "{form}"
    );
    let page = site.curl("/", &[]);
    assert_eq!(page.matches("alt=\"a lion\"").count(), 4);
    assert_eq!(std::fs::read_dir(site.folder.join("data/uploads")).unwrap().count(), 4);
    let shown =
        site.curl("/pictures/4", &["-o", "/dev/null", "-w", "%{size_download} %{content_type} %{http_code}"]);
    assert_eq!(shown, "8380000 image/png 200");
}
