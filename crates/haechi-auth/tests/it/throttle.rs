//! Guessing becomes slow; nobody is locked out.

use std::net::IpAddr;
use std::time::Duration;

use haechi_auth::{Allowance, Error, Throttle, UserTables};
use haechi_core::{ClientIp, ClientNetwork, TestClock};
use haechi_db::{Db, Migrations};

struct Door {
    throttle: Throttle,
    clock: TestClock,
}

impl Door {
    async fn new() -> Self {
        let db = Db::memory().await.unwrap();
        Migrations::new().with::<UserTables>().apply(&db).await.unwrap();
        let clock = TestClock::at(1_700_000_000);
        Self { throttle: Throttle::new(db).clock(clock.clone()), clock }
    }

    /// Returns the wait in seconds, or 0 if the attempt may go on; it fails then.
    async fn fail(&self, account: &str, address: &str) -> u64 {
        match self.throttle.begin(Allowance::SIGN_IN, account, network(address)).await {
            Ok(_) => 0,
            Err(Error::Throttled { retry_after }) => retry_after.as_secs(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn network(address: &str) -> ClientNetwork {
    ClientIp::from(address.parse::<IpAddr>().unwrap()).network()
}

/// asvs_6_3_1: after five failures each next guess waits twice as long, up to 15 minutes.
#[tokio::test]
async fn asvs_6_3_1_guesses_at_one_account_slow_down() {
    let door = Door::new().await;
    for _ in 0..5 {
        assert_eq!(door.fail("alice", "192.0.2.1").await, 0);
    }
    let mut waits = Vec::new();
    while waits.len() < 14 {
        match door.fail("alice", "192.0.2.1").await {
            0 => {}
            wait => {
                waits.push(wait);
                door.clock.advance(Duration::from_secs(wait));
            }
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
}

/// asvs_6_1_1: an attacker's network does not use up the victim's allowance.
#[tokio::test]
async fn asvs_6_1_1_a_victim_elsewhere_is_not_locked_out() {
    let door = Door::new().await;
    for _ in 0..200 {
        door.fail("alice", "192.0.2.1").await;
    }
    assert!(door.fail("alice", "192.0.2.1").await > 0);
    assert_eq!(door.fail("alice", "198.51.100.7").await, 0);
    assert_eq!(door.fail("bob", "192.0.2.1").await, 0, "nor a neighbour's, before the network's is used up");
}

#[tokio::test]
async fn one_network_that_tries_many_accounts_slows_down() {
    let door = Door::new().await;
    for number in 0..30 {
        assert_eq!(door.fail(&format!("user{number}"), "2001:db8::1").await, 0);
    }
    assert!(door.fail("user30", "2001:db8::2").await > 0, "the same /64");
    assert_eq!(door.fail("user31", "2001:db8:0:1::1").await, 0);
}

#[tokio::test]
async fn success_starts_the_account_anew_but_does_not_clear_the_network() {
    let door = Door::new().await;
    for _ in 0..4 {
        door.fail("alice", "192.0.2.1").await;
    }
    let right = door.throttle.begin(Allowance::SIGN_IN, "alice", network("192.0.2.1")).await.unwrap();
    right.succeeded().await.unwrap();
    for _ in 0..5 {
        assert_eq!(door.fail("alice", "192.0.2.1").await, 0);
    }
    // An attacker with an account of their own signs in to it between guesses.
    let mut refused = 0;
    for number in 0..60 {
        refused += u32::from(door.fail(&format!("victim{number}"), "192.0.2.1").await > 0);
        if let Ok(own) = door.throttle.begin(Allowance::SIGN_IN, "mallory", network("192.0.2.1")).await {
            own.succeeded().await.unwrap();
        }
    }
    assert!(refused > 10, "{refused}");
}

#[tokio::test]
async fn a_quiet_hour_is_forgotten_and_actions_are_apart() {
    let door = Door::new().await;
    while door.fail("alice", "192.0.2.1").await == 0 {}
    let reset = door.throttle.begin(Allowance::RESET, "alice", network("192.0.2.1")).await;
    assert!(reset.is_ok(), "a reset mail has an allowance of its own");
    door.clock.advance(Duration::from_secs(3_601));
    assert_eq!(door.fail("alice", "192.0.2.1").await, 0);
    assert_eq!(door.fail("alice", "192.0.2.1").await, 0);
    door.clock.advance(Duration::from_secs(3_601));
    assert!(door.throttle.sweep().await.unwrap() >= 2);
}

#[tokio::test]
async fn parallel_guesses_are_counted_before_they_are_tried() {
    let door = std::sync::Arc::new(Door::new().await);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let door = std::sync::Arc::clone(&door);
            tokio::spawn(async move { door.fail("alice", "192.0.2.1").await == 0 })
        })
        .collect();
    let mut allowed = 0;
    for task in tasks {
        allowed += u32::from(task.await.unwrap());
    }
    assert_eq!(allowed, 5);
}
