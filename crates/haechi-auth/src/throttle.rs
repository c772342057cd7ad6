//! Slows guessing down, on all machines together, without locking anybody out.

use std::sync::Arc;
use std::time::Duration;

use haechi_core::{ClientNetwork, Clock, SystemClock};
use haechi_db::{Db, sql};
use sha2::{Digest, Sha256};

use crate::Error;

/// Counts failed attempts in the database.
///
/// An attempt is counted *before* the password is looked at and taken back when it was right, so a hundred parallel
/// guesses count as a hundred. Counters stand per account × network and per network: an attacker elsewhere uses up
/// their own allowance, not the victim's.
#[derive(Clone, Debug)]
pub struct Throttle {
    pub(crate) db: Db,
    clock: Arc<dyn Clock>,
}

/// What one action allows: separate for sign-in, reset mails and sign-up, for one must not use up another's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Allowance {
    /// The action, part of the key.
    pub action: &'static str,
    /// Failures per account × network before each next one has to wait twice as long, from one second on.
    pub account: u32,
    /// The same per network.
    pub network: u32,
    /// The longest wait.
    pub most: Duration,
}

impl Allowance {
    /// Sign-in: 5 per account × network, 30 per network, waits up to 15 minutes.
    pub const SIGN_IN: Self =
        Self { action: "sign-in", account: 5, network: 30, most: Duration::from_secs(900) };
    /// Reset mails: 3 per address × network, 10 per network, waits up to an hour.
    pub const RESET: Self =
        Self { action: "reset", account: 3, network: 10, most: Duration::from_secs(3_600) };
    /// Sign-up: 10 per network, waits up to an hour.
    pub const SIGN_UP: Self =
        Self { action: "sign-up", account: 3, network: 10, most: Duration::from_secs(3_600) };
}

/// An attempt that may go on. It counts as failed unless it is [`succeeded`](Self::succeeded).
#[derive(Debug)]
#[must_use = "an attempt that is not said to have succeeded counts as failed"]
pub struct Attempt {
    throttle: Throttle,
    /// Counters that start anew when it succeeded.
    own: Vec<String>,
    /// The counter that takes it back.
    network: Option<String>,
}

impl Throttle {
    /// Counts in `db`, whose migrations have run.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, clock: Arc::new(SystemClock) }
    }

    /// Sets the clock; tests move it.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Begins an attempt of `network` on `account`, whether that exists or not.
    ///
    /// # Errors
    /// [`Error::Throttled`] if it has to wait; the database may fail, and then nothing goes on.
    pub async fn begin(
        &self,
        allowance: Allowance,
        account: &str,
        network: ClientNetwork,
    ) -> Result<Attempt, Error> {
        let network = network.to_string();
        let (own, network) =
            (key(&[allowance.action, &network, account]), key(&[allowance.action, &network]));
        self.count(&own, allowance.account, allowance.most).await?;
        self.count(&network, allowance.network, allowance.most).await?;
        Ok(Attempt { throttle: self.clone(), own: vec![own], network: Some(network) })
    }

    /// Begins an attempt from a device that the account knows; no counter of another device or a network is touched.
    pub(crate) async fn begin_on_device(&self, account: &str, device: &str) -> Result<Attempt, Error> {
        let allowance = Allowance::SIGN_IN;
        let own = key(&["known-device", device, account]);
        self.count(&own, allowance.account, allowance.most).await?;
        Ok(Attempt { throttle: self.clone(), own: vec![own], network: None })
    }

    /// Counts an attempt on `account` from an unknown device; returns whether the password may still be evaluated.
    pub(crate) async fn evaluates(&self, attempt: &mut Attempt, account: &str) -> Result<bool, Error> {
        let (key, now) = (consecutive(account), self.clock.unix());
        let forgotten = now + CONSECUTIVE_FOR;
        let failures = sql!(
            i64,
            "insert into haechi_throttle (key, failures, allowed_at, forgotten_at) values ({key}, 1, {now}, {forgotten})
             on conflict (key) do update set failures = case when haechi_throttle.forgotten_at < {now} then 1
             else haechi_throttle.failures + 1 end, forgotten_at = {forgotten} returning failures"
        )
        .one(&self.db)
        .await?;
        attempt.own.push(key);
        Ok(failures <= CONSECUTIVE)
    }

    /// Forgets the failures in a row on `account`: its password was set anew.
    pub(crate) async fn forgive(&self, account: &str) -> Result<(), Error> {
        let key = consecutive(account);
        sql!("delete from haechi_throttle where key = {key}").execute(&self.db).await?;
        Ok(())
    }

    /// Removes counters that nobody needs any more; returns how many there were.
    ///
    /// # Errors
    /// The database may fail.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let now = self.clock.unix();
        Ok(sql!("delete from haechi_throttle where forgotten_at < {now}").execute(&self.db).await?)
    }

    /// One statement, so that two machines cannot both be the fifth.
    async fn count(&self, key: &str, free: u32, most: Duration) -> Result<(), Error> {
        let (now, free) = (self.clock.unix(), i64::from(free));
        let most = i64::try_from(most.as_secs()).unwrap_or(i64::MAX);
        let forgotten = now + FORGOTTEN_AFTER;
        let counted = sql!(
            "insert into haechi_throttle (key, failures, allowed_at, forgotten_at)
             values ({key}, 1, {now}, {forgotten})
             on conflict (key) do update set
             failures = case when haechi_throttle.forgotten_at < {now} then 1 else haechi_throttle.failures + 1 end,
             allowed_at = {now} + case
             when haechi_throttle.forgotten_at < {now} or haechi_throttle.failures + 1 < {free} then 0
             when haechi_throttle.failures + 1 - {free} >= 12 then {most}
             when (1 << cast(haechi_throttle.failures + 1 - {free} as integer)) > {most} then {most}
             else (1 << cast(haechi_throttle.failures + 1 - {free} as integer)) end,
             forgotten_at = {forgotten}
             where haechi_throttle.allowed_at <= {now} or haechi_throttle.forgotten_at < {now}"
        )
        .execute(&self.db)
        .await?;
        if counted > 0 {
            return Ok(());
        }
        let allowed =
            sql!(i64, "select allowed_at from haechi_throttle where key = {key}").optional(&self.db).await?;
        let wait = allowed.map_or(1, |at| (at - now).clamp(1, most));
        Err(Error::Throttled { retry_after: Duration::from_secs(wait.unsigned_abs()) })
    }
}

impl Attempt {
    /// Says that the attempt was right: the account's counter starts anew, the network's takes this one back.
    ///
    /// # Errors
    /// The database may fail.
    ///
    /// # Security
    /// The network's counter is not cleared: an attacker with one account of their own would sign in to it between
    /// guesses.
    pub async fn succeeded(self) -> Result<(), Error> {
        let db = &self.throttle.db;
        for key in &self.own {
            sql!("delete from haechi_throttle where key = {key}").execute(db).await?;
        }
        let Some(network) = &self.network else { return Ok(()) };
        sql!(
            "update haechi_throttle set failures = failures - 1, allowed_at = {now} where key = {network} and failures > 0",
            now = self.throttle.clock.unix(),
            network = network
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Keys have one length, and the table does not tell which names were tried.
fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn consecutive(account: &str) -> String {
    key(&["consecutive failures", account])
}

/// The most that NIST SP 800-63B-4 section 3.2.2 allows.
const CONSECUTIVE: i64 = 100;
/// A row in the table for every name that anybody tried must not stay for ever.
const CONSECUTIVE_FOR: i64 = 400 * 86_400;
const FORGOTTEN_AFTER: i64 = 3_600;
