//! Architecture Invariant: one crate owns each dangerous thing.

use crate::tree::{shipped, without_tests};

#[track_caller]
fn only(words: &[&str], owners: &[&str]) {
    for file in shipped() {
        if owners.iter().any(|owner| file.path.starts_with(owner)) {
            continue;
        }
        let text: String =
            without_tests(&file.text).lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in words {
            assert!(!text.contains(word), "{} uses {word}, which belongs to {owners:?}", file.path);
        }
    }
}

#[test]
fn only_the_server_opens_sockets() {
    only(
        &["TcpListener", "TcpStream", "UnixListener", "UnixStream", "socket2::"],
        &["crates/haechi-server/src", "crates/haechi-test/src"],
    );
}

#[test]
fn only_the_data_layer_knows_a_driver() {
    only(&["rusqlite::", "tokio_postgres::", "deadpool_postgres::"], &["crates/haechi-db/src"]);
}

#[test]
fn only_the_data_layer_writes_sql_text_into_a_driver() {
    only(&["prepare_cached(", "batch_execute(", "execute_batch("], &["crates/haechi-db/src"]);
}

#[test]
fn time_is_an_argument() {
    only(
        &["SystemTime::now()", "Timestamp::now()", "Zoned::now()"],
        &["crates/haechi-core/src/clock.rs", "crates/haechi-server/src", "crates/haechi-db/src/migrations"],
    );
}

#[test]
fn randomness_comes_from_few_places() {
    only(
        &["rand::rng()", "getrandom", "OsRng"],
        &["crates/haechi-core/src/random.rs", "crates/haechi-auth/src/hash", "crates/haechi-session/src"],
    );
}

#[test]
fn the_environment_is_read_in_one_place() {
    only(&["env::var(", "env::vars("], &["crates/haechi/src/command", "crates/haechi-server/src/listener"]);
}

#[test]
fn nobody_serves_with_axum() {
    only(&["axum::serve"], &[]);
}

#[test]
fn what_can_hurt_lives_in_danger_and_takes_a_reason() {
    for file in shipped() {
        if !file.path.ends_with("/danger.rs") {
            continue;
        }
        let functions = without_tests(&file.text).matches("\n    pub fn ").count()
            + without_tests(&file.text).matches("\npub fn ").count()
            + without_tests(&file.text).matches("\npub const fn ").count();
        let reasons = without_tests(&file.text).matches("reason: &'static str").count();
        assert!(reasons >= functions, "{}: {functions} functions, {reasons} reasons", file.path);
    }
}
