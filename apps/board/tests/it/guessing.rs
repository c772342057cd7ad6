//! Guessing at passwords from one network, over many names, from many networks, and to keep somebody out.

use crate::client::Client;
use crate::server::{PASSWORD, Server};

fn guess(client: &mut Client, name: &str, password: &str) -> u16 {
    client.submit("/accounts/login", &[("username", name), ("password", password)]).status
}

/// asvs_6_3_1, asvs_2_4_1: what one network may try is bounded, at one name and over many.
#[test]
fn asvs_6_3_1_one_network_is_slowed_at_one_name_and_over_many() {
    let server = Server::behind_a_proxy();
    server.add_user(&["ada"]);
    let mut mallory = server.visitor_from("192.0.2.1");
    let statuses: Vec<u16> =
        (0..130).map(|n| guess(&mut mallory, "ada", &format!("guess number {n:03}"))).collect();
    let tried = statuses.iter().filter(|status| **status == 422).count();
    assert!((5..20).contains(&tried), "{tried} of 130 were tried");
    assert!(statuses.iter().all(|status| matches!(status, 422 | 429)), "{statuses:?}");
    assert_eq!(guess(&mut mallory, "ada", PASSWORD), 429, "the right one has to wait too");

    let mut sprayer = server.visitor_from("192.0.2.2");
    let tried = (0..60).filter(|n| guess(&mut sprayer, &format!("name{n}"), PASSWORD) == 422).count();
    assert!((20..45).contains(&tried), "{tried} of 60 were tried");
    server.finish();
}

/// asvs_4_1_3, asvs_15_3_4: an address that a client writes itself counts for nothing.
#[test]
fn asvs_15_3_4_forged_addresses_free_no_guesser_and_burden_nobody() {
    let server = Server::behind_a_proxy();
    server.add_user(&["ada"]);
    let mut mallory = server.visitor();
    let mut tried = 0;
    for number in 0..40 {
        // The proxy adds the address that it saw behind whatever the client sent.
        mallory.network = Some(format!("203.0.113.{number}, 192.0.2.1"));
        tried += u16::from(guess(&mut mallory, "ada", "a guess with care") == 422);
    }
    assert!(tried < 20, "{tried} of 40 were tried");
    assert_eq!(guess(&mut server.visitor_from("203.0.113.7"), "ada", PASSWORD), 303);

    let direct = Server::start_with("[limits]\nrequests_per_minute = 100000\n", &[]);
    direct.add_user(&["ada"]);
    let mut mallory = direct.visitor();
    let mut tried = 0;
    for number in 0..40 {
        mallory.network = Some(format!("203.0.113.{number}"));
        tried += u16::from(guess(&mut mallory, "ada", "a guess with care") == 422);
    }
    assert!(tried < 20, "{tried} of 40 were tried without a proxy");
    direct.finish();
    server.finish();
}

/// asvs_6_1_1, asvs_6_3_1: a thousand machines get a hundred guesses, and the owner's device still signs in.
#[test]
fn asvs_6_1_1_a_hundred_networks_guess_in_vain_and_lock_nobody_out() {
    let server = Server::behind_a_proxy();
    server.add_user(&["ada"]);
    let mut own = server.visitor_from("198.51.100.1");
    assert_eq!(guess(&mut own, "ada", PASSWORD), 303);
    let device = own.cookies().get("device").unwrap().clone();
    for number in 0..130 {
        let mut bot = server.visitor_from(&format!("10.0.{number}.1"));
        let status = guess(&mut bot, "ada", "one guess of a bot");
        assert!(matches!(status, 422 | 429), "{status}");
    }
    let mut lucky = server.visitor_from("10.1.0.1");
    assert_eq!(guess(&mut lucky, "ada", PASSWORD), 422, "the 131st guess is right and is not looked at");
    let mut known = server.visitor_from("198.51.100.2");
    known.cookies().insert("device".to_owned(), device.clone());
    assert_eq!(guess(&mut known, "ada", PASSWORD), 303, "the owner is locked out");
    let mut thief = server.visitor_from("10.1.1.1");
    thief.cookies().insert("device".to_owned(), device[..device.len() - 1].to_owned());
    assert_eq!(guess(&mut thief, "ada", PASSWORD), 422);
    // Somebody who does not exist is refused in the same words.
    for number in 0..101 {
        guess(&mut server.visitor_from(&format!("10.2.{number}.1")), "nobody", "one guess of a bot");
    }
    let fields = |name| [("username", name), ("password", "one guess of a bot")];
    let of_ada = server.visitor_from("10.3.0.1").submit("/accounts/login", &fields("ada"));
    let of_nobody = server.visitor_from("10.3.1.1").submit("/accounts/login", &fields("nobody"));
    assert_eq!((of_ada.status, of_ada.shape()), (of_nobody.status, of_nobody.shape()));
    server.finish();
}
