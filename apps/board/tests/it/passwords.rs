//! The rules for passwords, as NIST SP 800-63B-4 has them, against the forms of the board.

use crate::client::Client;
use crate::server::{PASSWORD, Server};

enum Verdict {
    Taken,
    Refused(&'static str),
}

use Verdict::{Refused, Taken};

const SHORT: Verdict = Refused("This password is too short.");
const LONG: Verdict = Refused("This password is too long.");
const COMMON: Verdict = Refused("This password is too common.");
const OWN: Verdict = Refused("This password is too close to your own data.");

/// Changes a password; returns what is wrong with the answer, and on success remembers the new one.
fn change(client: &mut Client, old: &mut String, new: &str, expected: &Verdict) -> Option<String> {
    let answer =
        client.submit("/accounts/password/change", &[("old_password", &**old), ("new_password", new)]);
    if answer.status == 303 {
        new.clone_into(old);
    }
    let right = match expected {
        Taken => answer.status == 303,
        Refused(sentence) => {
            let comes_back = !new.trim().is_empty() && answer.body.contains(&format!("\"{new}\""));
            answer.status == 422 && answer.body.contains(sentence) && !comes_back
        }
    };
    let said = answer.body.split("class=\"wrong\"").nth(2).unwrap_or("nothing");
    (!right).then(|| format!("{new:.40?}: {} and {:.60}", answer.status, said))
}

/// Text that neither repeats nor counts, of characters from `first` on.
fn varied(first: char, count: usize) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        char::from_u32(u32::from(first) + (state >> 16) % 64).unwrap()
    };
    (0..count).map(|_| next()).collect()
}

/// asvs_6_2_1, asvs_6_2_4, asvs_6_2_5, asvs_6_2_9, asvs_6_2_11, asvs_6_2_12: length and uncommonness, and nothing else.
#[test]
fn asvs_6_2_5_a_password_is_long_and_uncommon_and_may_hold_anything() {
    let server = Server::start();
    let mut ada = server.member("adalovelace");
    let (sixty_four, longest, above) = (varied('@', 64), varied('\u{100}', 512), varied('\u{100}', 513));
    let megabyte = "x7 q".repeat(262_144);
    let rows: &[(&str, Verdict)] = &[
        ("", SHORT),
        ("fourteen chars", SHORT),
        ("fifteen chars x", Taken),
        // Each code point counts as one, however many bytes it has.
        ("해치는 불을 먹는 짐승", SHORT),
        ("해치는 불을 먹는 짐승입니다 네", Taken),
        ("🦁🔥🏯🌙⭐🍵🥢🧧🎎🪁🎏🀄🎐🏮🦊", Taken),
        ("               ", COMMON),
        ("  kept spaces around  ", Taken),
        ("tab\tand\u{a0}odd\u{2003}spaces", Taken),
        (&sixty_four, Taken),
        (&longest, Taken),
        (&above, LONG),
        (&megabyte, LONG),
        // No composition rules: one class of characters is enough.
        ("only small letters here", Taken),
        ("ONLYCAPITALLETTERSHERE", Taken),
        ("830174629905817", Taken),
        ("!)@(#*$&%^~`|}{][", Taken),
        ("nodigitnosymbolnospace", Taken),
        // What people make of a common password to reach a length.
        ("letmein123456789", COMMON),
        ("123456789012345", COMMON),
        ("passwordpassword", COMMON),
        ("qwertyuiopasdfgh", COMMON),
        ("Password123456789", COMMON),
        ("aaaaaaaaaaaaaaaaaaaa", COMMON),
        ("abcabcabcabcabcabc", COMMON),
        ("abcdefghijklmnopq", COMMON),
        ("iloveyouiloveyou", COMMON),
        ("P@ssw0rdP@ssw0rd", COMMON),
        // The names that everybody knows.
        ("adalovelace 1815!", OWN),
        ("ADALOVELACE12345", OWN),
        ("boardboardboard1", OWN),
    ];
    let mut old = PASSWORD.to_owned();
    let wrong: Vec<String> =
        rows.iter().filter_map(|(new, expected)| change(&mut ada, &mut old, new, expected)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.finish();
}

/// asvs_6_2_8: verified exactly as it was typed.
#[test]
fn asvs_6_2_8_a_password_is_what_was_typed_and_nothing_near_it() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let exact = "  Ünïque sentence \0 of 72 bytes and then some more of it, and still more  ";
    assert_eq!(change(&mut ada, &mut PASSWORD.to_owned(), exact, &Taken), None);
    let folded = exact.to_lowercase();
    let composed = exact.replace('ï', "i\u{308}");
    for near in
        [exact.trim(), &folded, &composed, &exact[..73], &exact.replace('\0', ""), &exact.replace("  ", " ")]
    {
        let fields = [("username", "ada"), ("password", near)];
        let status = server.visitor().submit("/accounts/login", &fields).status;
        assert!(matches!(status, 422 | 429), "{near:?}: {status}");
    }
    // The sixth of this network in a row may have to wait a second.
    let began = std::time::Instant::now();
    loop {
        let fields = [("username", "ada"), ("password", exact)];
        match server.visitor().submit("/accounts/login", &fields).status {
            303 => break,
            429 if began.elapsed().as_secs() < 40 => {
                std::thread::sleep(std::time::Duration::from_millis(500));
            }
            status => panic!("{status}"),
        }
    }
    server.finish();
}

/// asvs_6_2_2, asvs_6_2_3: changed by whoever knows the old one.
#[test]
fn asvs_6_2_3_a_change_asks_for_the_old_password() {
    let server = Server::start();
    let mut ada = server.member("ada");
    for old in ["", "wrong wrong wrong wrong", " correct horse battery"] {
        let fields = [("old_password", old), ("new_password", "another sentence of mine")];
        ada.submit("/accounts/password/change", &fields).expect(422).shows("That is not your password.");
    }
    let page = ada.get("/accounts/password/change").expect(200);
    for kind in ["current-password", "new-password"] {
        assert_eq!(
            page.body.matches(&format!("type=\"password\" value=\"\" autocomplete=\"{kind}\"")).count(),
            1
        );
    }
    let without = [("new_password", "another sentence of mine")];
    ada.submit("/accounts/password/change", &without).expect(400);
    let mut old = PASSWORD.to_owned();
    assert_eq!(change(&mut ada, &mut old, "another sentence of mine", &Taken), None);
    server.finish();
}
