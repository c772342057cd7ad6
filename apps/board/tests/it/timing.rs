//! Whether the time of a sign-in tells which accounts there are, measured at the built board over HTTP.

use std::time::Instant;

use haechi::db::{Db, Options};
use haechi::sql;

use crate::client::Client;
use crate::server::Server;

/// One row of each algorithm that the board reads, with work of its own: a check that left one out, or that ran the
/// account's own parameters only, would be faster or slower by a good part of the whole.
const ROWS: [(&str, &str); 8] = [
    ("argon2", ""),
    (
        "pbkdf2_sha256",
        "pbkdf2_sha256$60000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=",
    ),
    (
        "pbkdf2_weak",
        "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=",
    ),
    ("pbkdf2_sha1", "pbkdf2_sha1$90000$seasalt2seasalt2seasalt2$cl8txD5mJQ26enJA1myPic20aCQ="),
    ("bcrypt_sha256", "bcrypt_sha256$$2b$08$abcdefghijklmnopqrstuugkQA0GCBGUEqAtJsvVqqVkMMm/ez2qi"),
    (
        "scrypt",
        "scrypt$1024$seasalt2seasalt2seasalt2$8$5$8WEzL1tS/tikLHk7IrM2CAzpg/Z64CU8b86oJzVNg88BN4wtux4EqH0EhXgHm7xRyOEHDKZf7xP9xWRC03dyKA==",
    ),
    ("unusable", "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("malformed", "pbkdf2_sha256$x$y"),
];

struct Stopwatch {
    db: Db,
    client: Client,
    token: String,
    origin: String,
}

impl Stopwatch {
    /// Signs in with a wrong password; returns how many seconds the answer took.
    async fn sign_in(&mut self, name: &str) -> f64 {
        // The throttle is another test's matter, and would answer in no time.
        sql!("delete from haechi_throttle where failures > 0").execute(&self.db).await.unwrap();
        let fields =
            [("username", name), ("password", "wrong but of a length"), ("csrf_token", self.token.as_str())];
        let headers = [("origin", self.origin.as_str()), ("sec-fetch-site", "same-origin")];
        let began = Instant::now();
        let answer = self.client.post("/accounts/login", &fields, &headers);
        let took = began.elapsed().as_secs_f64();
        answer.expect(422);
        took
    }
}

/// Returns the middle of `samples`: one request that met a busy moment does not move it.
fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// asvs_6_3_8: unknown, wrong, inactive, unusable and every algorithm, told apart by nothing but noise; and a fault
/// that is planted stands out by the same measure.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one measurement, told in order")]
async fn asvs_6_3_8_the_time_of_a_sign_in_tells_nothing_and_a_planted_fault_stands_out() {
    let server = Server::start();
    let accounts: Vec<String> = ROWS.iter().map(|(name, _)| (*name).replace('_', "")).collect();
    for name in &accounts {
        server.member(name);
    }
    server.member("inactive");
    let file = format!("sqlite:{}", server.database().display());
    let db = Db::connect(&file.parse().unwrap(), Options::default()).await.unwrap();
    for (name, (_, column)) in accounts.iter().zip(ROWS).filter(|(_, (_, column))| !column.is_empty()) {
        sql!("update auth_user set password = {column} where username = {name}").execute(&db).await.unwrap();
    }
    let no = false;
    sql!("update auth_user set is_active = {no} where username = 'inactive'").execute(&db).await.unwrap();

    let mut client = server.visitor();
    let token = client.get("/accounts/login").token().unwrap();
    let origin = client.origin();
    let mut watch = Stopwatch { db: db.clone(), client, token, origin };
    let mut kinds: Vec<&str> = accounts.iter().map(String::as_str).collect();
    kinds.extend(["inactive", "nobody", "nobodyelse"]);
    for kind in &kinds {
        watch.sign_in(kind).await; // the rows are news to the board, once
    }

    // Samples of one round are taken next to each other and compared with each other, so that a machine that slows
    // down for a while slows all kinds; a round begins with another kind each time.
    let mut shares: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
    let mut apart = Vec::new();
    for attempt in 0..4 {
        for round in 0..7 {
            let mut times = vec![0.0; kinds.len()];
            for step in 0..kinds.len() {
                let kind = (step + round) % kinds.len();
                times[kind] = watch.sign_in(kinds[kind]).await;
            }
            let usual = median(&times);
            shares.iter_mut().zip(&times).for_each(|(shares, time)| shares.push(time / usual));
        }
        let medians = kinds.iter().zip(&shares).map(|(kind, shares)| (*kind, median(shares)));
        apart = medians.filter(|(_, share)| (share - 1.0).abs() > MOST_APART).collect();
        println!(
            "attempt {attempt}: {:?}",
            kinds.iter().zip(&shares).map(|(k, s)| (*k, median(s))).collect::<Vec<_>>()
        );
        // Noise gets less with every sample, a fault does not.
        if apart.is_empty() {
            break;
        }
    }
    assert!(apart.is_empty(), "told apart by time, as shares of the usual: {apart:?}");

    // The fault: an account whose row costs more than any that was known, so that its first attempt costs more than
    // an attempt on nobody just before. It is planted anew in every round, twice as large.
    let (mut planted, mut healed, mut iterations) = (Vec::new(), Vec::new(), 120_000);
    for _ in 0..4 {
        let column = format!(
            "pbkdf2_sha256${iterations}$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA="
        );
        sql!("update auth_user set password = {column} where username = 'pbkdf2weak'")
            .execute(&db)
            .await
            .unwrap();
        let nobody = watch.sign_in("nobody").await;
        let first = watch.sign_in("pbkdf2weak").await;
        planted.push(first / nobody);
        // Once is enough, where the work is least: a single pair may meet a busy moment.
        while healed.len() < 9 {
            let nobody = watch.sign_in("nobody").await;
            healed.push(nobody / watch.sign_in("pbkdf2weak").await);
        }
        iterations *= 2;
    }
    println!("planted {planted:?}, healed {healed:?}");
    assert!(median(&planted) > 1.0 + MOST_APART, "the fault was not seen: {planted:?}");
    assert!(
        median(&healed) > 1.0 - MOST_APART,
        "its work is everybody's from the next attempt on: {healed:?}"
    );
    server.finish();
}

/// As a share of a sign-in. The least of the algorithms takes more.
const MOST_APART: f64 = 0.12;
