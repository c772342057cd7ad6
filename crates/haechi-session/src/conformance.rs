//! What every store has to do; run it on yours.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! haechi_session::conformance::check(&haechi_session::MemoryStore::default()).await.unwrap();
//! # }
//! ```

use crate::{At, Changes, Error, Record, Saved, SessionStore, StoreKey, Which, Write};

/// Runs the suite on `store`, which may hold other sessions: it uses keys and users that nobody else has.
///
/// # Errors
/// Returns the first rule that the store breaks, or the error it met.
pub async fn check(store: &dyn SessionStore) -> Result<(), Failure> {
    let suite = Suite { store, tag: tag() };
    suite.a_stored_session_is_found_whole().await?;
    suite.a_missing_session_is_none_and_is_not_created_by_a_save().await?;
    suite.writes_to_different_names_merge().await?;
    suite.a_moved_session_keeps_its_values_and_user().await?;
    suite.a_moved_session_is_dead_under_its_old_key().await?;
    suite.ending_one_leaves_the_others().await?;
    suite.the_sessions_of_a_user_are_listed_and_ended_together().await?;
    suite.sweeping_removes_what_has_expired_and_nothing_else().await
}

/// Runs what can be asked of a store that keeps nothing, such as [`CookieStore`](crate::CookieStore): what it signed is
/// found whole and what it did not sign is not found, and what it cannot do (end and list a user's sessions) it says.
///
/// # Errors
/// As [`check`].
pub async fn check_without_revocation(store: &dyn SessionStore) -> Result<(), Failure> {
    let suite = Suite { store, tag: tag() };
    suite.a_stored_session_is_found_whole().await?;
    suite.a_missing_session_is_none_and_is_not_created_by_a_save().await?;
    suite.a_moved_session_keeps_its_values_and_user().await?;
    suite.what_cannot_be_done_is_said().await
}

/// What a store did wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It broke a rule.
    #[error("the store breaks a rule: {0}")]
    Rule(&'static str),
    /// It failed.
    #[error(transparent)]
    Error(#[from] Error),
}

struct Suite<'a> {
    store: &'a dyn SessionStore,
    tag: String,
}

impl Suite<'_> {
    async fn a_stored_session_is_found_whole(&self) -> Result<(), Failure> {
        let (key, record) = (self.key(1), self.record(None));
        let changes = changes("name", "zo\u{eb} \u{2603} \u{1f600} ' \" \\ </script>")?;
        let key = self.put(At::New(&key), &record, &changes).await?;
        let found = self.store.load(&key).await?.ok_or(Failure::Rule("a stored session is found"))?;
        rule(found.values == values(&changes), "values come back unchanged")?;
        rule(found.expires == record.expires, "the end comes back to the second")?;
        rule(found.user.is_none(), "a session without a user has none")
    }

    async fn a_missing_session_is_none_and_is_not_created_by_a_save(&self) -> Result<(), Failure> {
        let (key, other) = (self.key(2), self.key(3));
        rule(self.store.load(&key).await?.is_none(), "an unknown key is no session")?;
        let (record, changes) = (self.record(None), changes("a", "1")?);
        self.save(At::Same(&key), &record, &changes, Saved::Gone).await?;
        self.save(At::Moved(&key, &other), &record, &changes, Saved::Gone).await?;
        rule(self.store.load(&key).await?.is_none(), "a session that was ended does not come back")?;
        rule(
            self.store.load(&other).await?.is_none(),
            "a session that was ended does not come back by rotation",
        )
    }

    async fn writes_to_different_names_merge(&self) -> Result<(), Failure> {
        let (key, record) = (self.key(4), self.record(None));
        self.save(At::New(&key), &record, &changes("old", "0")?, Saved::Stored).await?;
        let (first, mut second) = (changes("a", "1")?, changes("b", "2")?);
        second.remove("old");
        let write = |changes| self.save(At::Same(&key), &record, changes, Saved::Stored);
        write(&first).await?;
        write(&second).await?;
        let values = self.store.load(&key).await?.unwrap_or_default().values;
        let both = values.json("a").is_some() && values.json("b").is_some();
        rule(both, "two writers of different names both keep theirs")?;
        rule(values.json("old").is_none(), "a removed value is gone")
    }

    async fn a_moved_session_is_dead_under_its_old_key(&self) -> Result<(), Failure> {
        let (old, new, record) = (self.key(5), self.key(6), self.record(Some(self.user(1))));
        self.save(At::New(&old), &record, &changes("a", "1")?, Saved::Stored).await?;
        self.save(At::Moved(&old, &new), &record, &changes("b", "2")?, Saved::Stored).await?;
        rule(self.store.load(&old).await?.is_none(), "the old key is dead after a move")?;
        self.save(At::Moved(&old, &self.key(7)), &record, &Changes::default(), Saved::Gone).await?;
        self.save(At::Same(&old), &record, &Changes::default(), Saved::Gone).await
    }

    async fn a_moved_session_keeps_its_values_and_user(&self) -> Result<(), Failure> {
        let record = self.record(Some(self.user(1)));
        let old = self.put(At::New(&self.key(15)), &record, &changes("a", "1")?).await?;
        let new = self.put(At::Moved(&old, &self.key(16)), &record, &changes("b", "2")?).await?;
        rule(new != old, "a moved session has another key")?;
        let moved = self.store.load(&new).await?.ok_or(Failure::Rule("a moved session is found"))?;
        let both = moved.values.json("a").is_some() && moved.values.json("b").is_some();
        rule(both, "a moved session keeps its values")?;
        rule(moved.user == Some(self.user(1)), "a moved session keeps its user")
    }

    async fn what_cannot_be_done_is_said(&self) -> Result<(), Failure> {
        let (store, user) = (self.store, self.user(2));
        let unsupported = |error: Error| matches!(error, Error::Unsupported(_));
        let ended = store.end(Which::OfUser { user: &user, but: None }).await;
        rule(ended.is_err_and(unsupported), "ending a user's sessions is said to be impossible")?;
        let listed = store.list(&user).await;
        rule(listed.is_err_and(unsupported), "listing a user's sessions is said to be impossible")?;
        let key = self.put(At::New(&self.key(17)), &self.record(None), &changes("a", "1")?).await?;
        rule(store.end(Which::One(&key)).await? == 0, "none is counted as ended")?;
        rule(store.load(&key).await?.is_some(), "a store that can revoke runs the whole suite")
    }

    async fn ending_one_leaves_the_others(&self) -> Result<(), Failure> {
        let (first, second, record) = (self.key(8), self.key(9), self.record(None));
        for key in [&first, &second] {
            self.save(At::New(key), &record, &changes("a", "1")?, Saved::Stored).await?;
        }
        rule(self.store.end(Which::One(&first)).await? == 1, "ending a session tells that there was one")?;
        rule(self.store.end(Which::One(&first)).await? == 0, "ending it again tells that there was none")?;
        rule(self.store.load(&first).await?.is_none(), "an ended session is gone")?;
        rule(self.store.load(&second).await?.is_some(), "the others stay")?;
        self.save(At::Same(&first), &record, &changes("a", "2")?, Saved::Gone).await
    }

    async fn the_sessions_of_a_user_are_listed_and_ended_together(&self) -> Result<(), Failure> {
        let (mine, also_mine, theirs) = (self.key(10), self.key(11), self.key(12));
        let (me, them) = (self.user(2), self.user(3));
        for (key, user) in [(&mine, &me), (&also_mine, &me), (&theirs, &them)] {
            let record = self.record(Some(user.clone()));
            self.save(At::New(key), &record, &changes("a", "1")?, Saved::Stored).await?;
        }
        let list = self.store.list(&me).await?;
        let listed = |key| list.iter().any(|(listed, _)| listed == key);
        rule(
            list.len() == 2 && listed(&mine) && listed(&also_mine),
            "a user's sessions are listed, no others",
        )?;
        let others = Which::OfUser { user: &me, but: Some(&mine) };
        rule(self.store.end(others).await? == 1, "all but one are ended")?;
        rule(self.store.load(&mine).await?.is_some(), "the one that stays stays")?;
        rule(self.store.load(&also_mine).await?.is_none(), "the other is gone")?;
        rule(self.store.load(&theirs).await?.is_some(), "another user's session stays")?;
        rule(self.store.end(Which::OfUser { user: &me, but: None }).await? == 1, "all are ended")?;
        rule(self.store.list(&me).await?.is_empty(), "nothing is listed after that")
    }

    async fn sweeping_removes_what_has_expired_and_nothing_else(&self) -> Result<(), Failure> {
        let (dead, alive) = (self.key(13), self.key(14));
        // Long past, so that no session of anybody else is swept with it.
        let expired = Record { expires: 1_000, ..self.record(None) };
        self.save(At::New(&dead), &expired, &changes("a", "1")?, Saved::Stored).await?;
        self.save(At::New(&alive), &self.record(None), &changes("a", "1")?, Saved::Stored).await?;
        self.store.end(Which::ExpiredBefore(2_000)).await?;
        rule(self.store.load(&dead).await?.is_none(), "an expired session is swept")?;
        rule(self.store.load(&alive).await?.is_some(), "a living session is not swept")
    }

    /// Stores a session and returns the key to find it under.
    async fn put(&self, at: At<'_>, record: &Record, changes: &Changes) -> Result<StoreKey, Failure> {
        match (self.store.save(Write { at, record, changes }).await?, at) {
            (Saved::As(key), _) => Ok(key),
            (Saved::Stored, At::New(key) | At::Same(key) | At::Moved(_, key)) => Ok(key.clone()),
            (Saved::Gone, _) => Err(Failure::Rule("a session is stored")),
        }
    }

    async fn save(
        &self,
        at: At<'_>,
        record: &Record,
        changes: &Changes,
        expected: Saved,
    ) -> Result<(), Failure> {
        let saved = self.store.save(Write { at, record, changes }).await?;
        rule(
            saved == expected,
            match expected {
                Saved::Stored | Saved::As(_) => "a session is stored",
                Saved::Gone => "saving a session that was ended says so",
            },
        )
    }

    fn key(&self, number: u8) -> StoreKey {
        StoreKey::new(format!("{}{number:02}", self.tag))
    }

    fn user(&self, number: u32) -> String {
        // Digits only: the user's key is an integer in most tables.
        let base = u32::from_str_radix(&self.tag[..6], 36).unwrap_or(7) % 100_000_000;
        (base * 10 + number).to_string()
    }

    fn record(&self, user: Option<String>) -> Record {
        const NOW: i64 = 4_000_000_000;
        Record { user, seen: NOW, expires: NOW + 3_600, ..Record::default() }
    }
}

fn changes(name: &str, value: &str) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    changes.insert(name, value)?;
    Ok(changes)
}

fn values(changes: &Changes) -> crate::Values {
    let mut values = crate::Values::default();
    changes.apply(&mut values);
    values
}

fn rule(kept: bool, rule: &'static str) -> Result<(), Failure> {
    if kept { Ok(()) } else { Err(Failure::Rule(rule)) }
}

fn tag() -> String {
    use rand::RngExt;
    let mut random = rand::rng();
    (0..30).map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[random.random_range(0..36)])).collect()
}
