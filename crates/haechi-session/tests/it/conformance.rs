//! The suite itself: a store that breaks a rule is told which.

use std::sync::Mutex;

use haechi_session::conformance::{check, check_without_revocation};
use haechi_session::{
    At, Changes, Error, MemoryStore, Record, Saved, SessionCache, SessionStore, StoreFuture, StoreKey,
    Values, Which, Write,
};

/// What a store does wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    FindsNothing,
    FindsWhatIsNotThere,
    LosesValues,
    MovesTheEnd,
    InventsAUser,
    StoresNothing,
    CreatesWhatIsGone,
    CreatesAndDeniesIt,
    CreatesByAMoveAndDeniesIt,
    Overwrites,
    NeverRemoves,
    MovesToTheSameKey,
    MovesWithoutValues,
    MovesWithoutUser,
    MovesNowhere,
    CopiesInsteadOfMoving,
    SavesUnderTheDeadKey,
    CountsNone,
    CountsAlways,
    EndsNothing,
    EndsEveryOne,
    ListsEverybody,
    ListsTheWrongOne,
    ListsOne,
    EndsTheOneThatStays,
    EndsNoneOfAUser,
    EndsEveryUser,
    ListsTheEnded,
    SweepsNothing,
    SweepsEverything,
}

#[derive(Debug)]
struct Faulty {
    memory: MemoryStore,
    fault: Fault,
    seen: Mutex<Vec<StoreKey>>,
}

impl Faulty {
    async fn found(&self, key: &StoreKey) -> Result<Option<Record>, Error> {
        let found = self.memory.load(key).await?;
        Ok(match (self.fault, found) {
            (Fault::FindsNothing, _) => None,
            (Fault::FindsWhatIsNotThere, None) => Some(Record::default()),
            (Fault::LosesValues, Some(record)) => Some(Record { values: Values::default(), ..record }),
            (Fault::MovesTheEnd, Some(record)) => Some(Record { expires: record.expires + 1, ..record }),
            (Fault::InventsAUser, Some(record)) => Some(Record { user: Some("1".into()), ..record }),
            (_, found) => found,
        })
    }

    async fn saved(&self, write: Write<'_>) -> Result<Saved, Error> {
        let new = |key| Write { at: At::New(key), ..write };
        match (self.fault, write.at) {
            (Fault::StoresNothing, At::New(_)) => Ok(Saved::Gone),
            (Fault::CreatesWhatIsGone, At::Same(key)) => self.memory.save(new(key)).await,
            (Fault::CreatesAndDeniesIt, At::Same(key)) => {
                self.memory.save(new(key)).await.map(|_| Saved::Gone)
            }
            (Fault::CreatesAndDeniesIt, At::Moved(..)) => Ok(Saved::Gone),
            (Fault::CreatesByAMoveAndDeniesIt, At::Moved(_, key)) => {
                self.memory.save(new(key)).await.map(|_| Saved::Gone)
            }
            (Fault::Overwrites, At::Same(key)) if self.memory.load(key).await?.is_some() => {
                self.memory.save(new(key)).await
            }
            (Fault::NeverRemoves, At::Same(key)) => {
                let before = self.memory.load(key).await?.unwrap_or_default().values;
                let saved = self.memory.save(write).await?;
                if saved == Saved::Stored
                    && let Some(old) = before.get::<String>("old")?
                {
                    let changes = Changes::setting("old", &old)?;
                    self.memory.save(Write { changes: &changes, ..write }).await?;
                }
                Ok(saved)
            }
            (fault, At::Moved(old, key)) => self.moved(fault, write, old, key).await,
            (Fault::SavesUnderTheDeadKey, At::Same(key)) if self.seen.lock().unwrap().contains(key) => {
                Ok(Saved::Stored)
            }
            _ => self.memory.save(write).await,
        }
    }

    async fn moved(
        &self,
        fault: Fault,
        write: Write<'_>,
        old: &StoreKey,
        key: &StoreKey,
    ) -> Result<Saved, Error> {
        if self.memory.load(old).await?.is_none() {
            return self.memory.save(write).await;
        }
        self.seen.lock().unwrap().push(old.clone());
        match fault {
            Fault::MovesToTheSameKey => {
                self.memory.save(Write { at: At::Same(old), ..write }).await?;
                Ok(Saved::As(old.clone()))
            }
            Fault::MovesWithoutValues => {
                self.memory.end(Which::One(old)).await?;
                self.memory.save(Write { at: At::New(key), ..write }).await
            }
            Fault::MovesWithoutUser => {
                let record = Record { user: None, ..write.record.clone() };
                self.memory.save(Write { record: &record, ..write }).await
            }
            Fault::MovesNowhere => {
                self.memory.end(Which::One(old)).await?;
                Ok(Saved::Stored)
            }
            Fault::CopiesInsteadOfMoving => {
                let values = Changes::replacing(self.memory.load(old).await?.unwrap_or_default().values);
                self.memory.save(Write { at: At::New(key), changes: &values, ..write }).await?;
                self.memory.save(Write { at: At::Same(key), ..write }).await
            }
            _ => self.memory.save(write).await,
        }
    }

    async fn ended(&self, which: Which<'_>) -> Result<u64, Error> {
        let everybody = Which::ExpiredBefore(i64::MAX);
        match (self.fault, which) {
            (Fault::CountsNone, Which::One(_)) => self.memory.end(which).await.map(|_| 0),
            (Fault::CountsAlways, Which::One(_)) => self.memory.end(which).await.map(|_| 1),
            (Fault::EndsNothing, Which::One(key)) => {
                let mut seen = self.seen.lock().unwrap();
                seen.push(key.clone());
                Ok(u64::from(seen.iter().filter(|seen| *seen == key).count() == 1))
            }
            (Fault::EndsEveryOne, Which::One(_)) => {
                self.memory.end(everybody).await.map(|ended| u64::from(ended > 0))
            }
            (Fault::EndsTheOneThatStays, Which::OfUser { but: Some(key), .. }) => {
                self.memory.end(Which::One(key)).await
            }
            (Fault::EndsNoneOfAUser, Which::OfUser { .. }) => Ok(1),
            (Fault::EndsEveryUser, Which::OfUser { but: Some(but), .. }) => {
                let kept = self.memory.load(but).await?.unwrap_or_default();
                self.memory.end(everybody).await?;
                let values = Changes::replacing(kept.values.clone());
                self.memory.save(Write { at: At::New(but), record: &kept, changes: &values }).await?;
                Ok(1)
            }
            (Fault::SweepsNothing, Which::ExpiredBefore(_)) => Ok(1),
            (Fault::SweepsEverything, Which::ExpiredBefore(_)) => self.memory.end(everybody).await,
            _ => self.memory.end(which).await,
        }
    }

    async fn listed(&self, user: &str) -> Result<Vec<(StoreKey, Record)>, Error> {
        let mut list = self.memory.list(user).await?;
        match self.fault {
            Fault::ListsEverybody => list.push((StoreKey::new("of another"), Record::default())),
            Fault::ListsTheWrongOne => {
                list.truncate(1);
                list.push((StoreKey::new("of another"), Record::default()));
            }
            Fault::ListsOne => list.truncate(1),
            Fault::ListsTheEnded if list.is_empty() => {
                list.push((StoreKey::new("ended"), Record::default()));
            }
            _ => {}
        }
        Ok(list)
    }
}

impl SessionStore for Faulty {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        Box::pin(self.found(key))
    }
    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        Box::pin(self.saved(write))
    }
    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(self.ended(which))
    }
    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        Box::pin(self.listed(user))
    }
    fn cache(&self) -> SessionCache {
        SessionCache::none()
    }
}

#[tokio::test]
async fn a_store_that_breaks_a_rule_is_told_which() {
    for (fault, rule) in [
        (Fault::FindsNothing, "a stored session is found"),
        (Fault::FindsWhatIsNotThere, "an unknown key is no session"),
        (Fault::LosesValues, "values come back unchanged"),
        (Fault::MovesTheEnd, "the end comes back to the second"),
        (Fault::InventsAUser, "a session without a user has none"),
        (Fault::StoresNothing, "a session is stored"),
        (Fault::CreatesWhatIsGone, "saving a session that was ended says so"),
        (Fault::CreatesAndDeniesIt, "a session that was ended does not come back"),
        (Fault::CreatesByAMoveAndDeniesIt, "a session that was ended does not come back by rotation"),
        (Fault::Overwrites, "two writers of different names both keep theirs"),
        (Fault::NeverRemoves, "a removed value is gone"),
        (Fault::MovesToTheSameKey, "a moved session has another key"),
        (Fault::MovesWithoutValues, "a moved session keeps its values"),
        (Fault::MovesWithoutUser, "a moved session keeps its user"),
        (Fault::MovesNowhere, "a moved session is found"),
        (Fault::CopiesInsteadOfMoving, "the old key is dead after a move"),
        (Fault::SavesUnderTheDeadKey, "saving a session that was ended says so"),
        (Fault::CountsNone, "ending a session tells that there was one"),
        (Fault::CountsAlways, "ending it again tells that there was none"),
        (Fault::EndsNothing, "an ended session is gone"),
        (Fault::EndsEveryOne, "the others stay"),
        (Fault::ListsEverybody, "a user's sessions are listed, no others"),
        (Fault::ListsTheWrongOne, "a user's sessions are listed, no others"),
        (Fault::ListsOne, "a user's sessions are listed, no others"),
        (Fault::EndsTheOneThatStays, "the one that stays stays"),
        (Fault::EndsNoneOfAUser, "the other is gone"),
        (Fault::EndsEveryUser, "another user's session stays"),
        (Fault::ListsTheEnded, "nothing is listed after that"),
        (Fault::SweepsNothing, "an expired session is swept"),
        (Fault::SweepsEverything, "a living session is not swept"),
    ] {
        let store = Faulty { memory: MemoryStore::default(), fault, seen: Mutex::default() };
        let outcome = check(&store).await.map_err(|failure| failure.to_string());
        assert_eq!(outcome, Err(format!("the store breaks a rule: {rule}")), "{fault:?}");
    }
}

/// What a store without memory says of ending and listing.
#[derive(Clone, Copy, Debug)]
struct Says {
    ending_a_user: bool,
    listing: bool,
    ending_one: Option<u64>,
}

#[derive(Debug)]
struct Forgetful(MemoryStore, Says);

impl SessionStore for Forgetful {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        self.0.load(key)
    }
    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        self.0.save(write)
    }
    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            match (which, self.1.ending_one) {
                (Which::One(_), Some(counted)) => Ok(counted),
                (Which::One(_), None) => self.0.end(which).await.map(|_| 0),
                _ if self.1.ending_a_user => Ok(0),
                _ => Err(Error::Unsupported("end")),
            }
        })
    }
    fn list<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        let listing = self.1.listing;
        Box::pin(async move { if listing { Ok(Vec::new()) } else { Err(Error::Unsupported("list")) } })
    }
    fn cache(&self) -> SessionCache {
        SessionCache::none()
    }
}

#[tokio::test]
async fn a_store_without_memory_has_to_say_what_it_cannot_do() {
    let honest = Says { ending_a_user: false, listing: false, ending_one: Some(0) };
    for (says, rule) in [
        (honest, None),
        (Says { ending_a_user: true, ..honest }, Some("ending a user's sessions is said to be impossible")),
        (Says { listing: true, ..honest }, Some("listing a user's sessions is said to be impossible")),
        (Says { ending_one: Some(1), ..honest }, Some("none is counted as ended")),
        (Says { ending_one: None, ..honest }, Some("a store that can revoke runs the whole suite")),
    ] {
        let store = Forgetful(MemoryStore::default(), says);
        let outcome = check_without_revocation(&store).await.map_err(|failure| failure.to_string());
        let expected = rule.map_or(Ok(()), |rule| Err(format!("the store breaks a rule: {rule}")));
        assert_eq!(outcome, expected, "{says:?}");
    }
}
