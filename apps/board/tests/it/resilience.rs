//! What the board gives back, whom it lets wait, and what becomes of it without its database.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::server::{PASSWORD, Server};

/// A wire to the database that can be cut.
struct Wire {
    port: u16,
    whole: Arc<AtomicBool>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Self { port, whole: Arc::new(AtomicBool::new(true)), ends: Arc::default() };
        let (whole, ends) = (Arc::clone(&wire.whole), Arc::clone(&wire.ends));
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // A connection that is dropped here is a server that is gone.
                if !whole.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(&server) else { continue };
                ends.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                carry(near.try_clone().unwrap(), far.try_clone().unwrap());
                carry(far, near);
            }
        });
        wire
    }

    fn cut(&self) {
        self.whole.store(false, Ordering::SeqCst);
        for end in self.ends.lock().unwrap().drain(..) {
            drop(end.shutdown(Shutdown::Both));
        }
    }

    fn mend(&self) {
        self.whole.store(true, Ordering::SeqCst);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
    });
}

/// asvs_16_5_2: pages that need the database say so, those that do not go on, and nobody has to start the board again.
#[test]
fn asvs_16_5_2_without_its_database_the_board_says_so_and_it_finds_it_again() {
    let Some(database) = Database::create() else { return };
    let (before, rest) = database.url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let wire = Wire::to(server.to_owned());
    let url = format!("{before}@127.0.0.1:{}/{name}", wire.port);
    let board = Server::start_with("", &[("HAECHI_DATABASE_URL", &url)]);
    let mut ada = board.member("ada");
    for _ in 0..2 {
        wire.cut();
        for _ in 0..10 {
            let asked = Instant::now();
            let refused = ada.get("/").expect(503);
            assert!(refused.header("retry-after").is_some(), "{}", refused.body);
            assert!(asked.elapsed() < Duration::from_secs(10));
        }
        // Whoever cannot be known is nobody, and a write that cannot be stored is not confirmed.
        ada.get("/posts/new").expect(503);
        ada.get("/static/haechi.css").expect(200);
        wire.mend();
        let mended = Instant::now();
        while ada.get("/").status == 503 {
            assert!(mended.elapsed() < Duration::from_secs(10), "it is not found again");
            thread::sleep(Duration::from_millis(20));
        }
        ada.get("/profile").expect(200).shows("ada");
    }
    drop(board);
}

/// asvs_15_4_4: sign-ins that wait for their turn at hashing make nobody else wait.
#[test]
fn asvs_15_4_4_pages_are_answered_while_sign_ins_wait() {
    let board = Server::behind_a_proxy();
    board.add_user(&["ada"]);
    let signed_in = Arc::new(AtomicUsize::new(0));
    let waiting: Vec<_> = (1..=40)
        .map(|number| {
            let mut visitor = board.visitor_from(&format!("203.0.113.{number}"));
            let signed_in = Arc::clone(&signed_in);
            thread::spawn(move || {
                let fields = [("username", "ada"), ("password", PASSWORD)];
                visitor.submit("/accounts/login", &fields).expect_redirect("/");
                signed_in.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    let (mut visitor, mut pages) = (board.visitor_from("198.51.100.1"), 0);
    while signed_in.load(Ordering::SeqCst) < waiting.len()
        && !waiting.iter().all(thread::JoinHandle::is_finished)
    {
        visitor.get("/").expect(200);
        pages += 1;
    }
    waiting.into_iter().for_each(|sign_in| sign_in.join().unwrap());
    assert!(pages > 40, "{pages} pages beside 40 sign-ins");
}

fn descriptors(board: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", board.id())).unwrap().count()
}

fn resident_kib(board: &Server) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", board.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// asvs_1_4_3: what a client leaves behind, however it leaves, is given back.
#[test]
fn asvs_1_4_3_descriptors_and_memory_are_given_back() {
    if !std::path::Path::new("/proc/self/fd").exists() {
        return println!("skipped: no /proc");
    }
    let board = Server::start_with("[limits]\nrequests_per_minute = 100000\n", &[]);
    let address = board.address().to_owned();
    let round = || {
        for number in 0..300 {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!("Host: {address}\r\nSec-Fetch-Site: same-origin\r\n");
            let text = match number % 5 {
                0 => String::new(),
                1 => "GET / HT".to_owned(),
                2 => format!("GET / HTTP/1.1\r\n{head}\r\n"),
                3 => format!(
                    "POST /accounts/login HTTP/1.1\r\n{head}Content-Length: 2000000\r\n\r\n{}",
                    "x".repeat(60_000)
                ),
                _ => format!(
                    "POST /accounts/login HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n9\r\nabc"
                ),
            };
            // The board may have ended it already.
            drop(stream.write_all(text.as_bytes()));
            drop(stream);
        }
    };
    // The first round opens what stays: connections to the database, files.
    round();
    let settled = |most: usize| {
        let start = Instant::now();
        while descriptors(&board) > most && start.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(50));
        }
        descriptors(&board)
    };
    let before = (settled(40), resident_kib(&board));
    for _ in 0..5 {
        round();
    }
    let after = (settled(before.0 + 2), resident_kib(&board));
    assert!(before.0 <= 40, "{before:?}: the first round is not given back");
    assert!(after.0 <= before.0 + 2, "descriptors: {before:?}, {after:?}");
    // 900 bodies began: had each stayed, there were 50 MB more.
    assert!(after.1 < before.1 + 24 * 1024, "memory in KiB: {before:?}, {after:?}");
    board.visitor().get("/").expect(200);
}
