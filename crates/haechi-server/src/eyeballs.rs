//! Several addresses of one name, tried as RFC 8305 says.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

/// Every address that was tried, with the reason why it did not answer.
#[derive(Debug)]
pub(crate) struct Unreachable(Vec<(SocketAddr, io::Error)>);

impl Unreachable {
    /// Returns the kind of the last failure.
    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.0.last().map_or(io::ErrorKind::NotFound, |(_, error)| error.kind())
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the name has no address");
        }
        for (index, (address, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{address}: {error}")?;
        }
        Ok(())
    }
}

/// Attempts the addresses one after the other, each [`ATTEMPT_DELAY`] after the one before or as soon as that one
/// failed, and returns the first that succeeds. The others are dropped.
pub(crate) async fn race<T, Attempt>(
    addresses: Vec<SocketAddr>,
    attempt: impl Fn(SocketAddr) -> Attempt,
) -> Result<(T, SocketAddr), Unreachable>
where
    T: Send + 'static,
    Attempt: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = interleave(addresses).into_iter();
    let mut attempts = JoinSet::new();
    let mut failures = Vec::new();
    while let Some(address) = waiting.next() {
        let connecting = attempt(address);
        attempts.spawn(async move { (connecting.await, address) });
        let last = waiting.len() == 0;
        tokio::select! {
            Some(ended) = attempts.join_next() => {
                if let Some(won) = settle(ended, &mut failures) {
                    return Ok(won);
                }
            }
            () = sleep(ATTEMPT_DELAY), if !last => {}
        }
    }
    while let Some(ended) = attempts.join_next().await {
        if let Some(won) = settle(ended, &mut failures) {
            return Ok(won);
        }
    }
    Err(Unreachable(failures))
}

type Ended<T> = Result<(io::Result<T>, SocketAddr), tokio::task::JoinError>;

fn settle<T>(ended: Ended<T>, failures: &mut Vec<(SocketAddr, io::Error)>) -> Option<(T, SocketAddr)> {
    match ended {
        Ok((Ok(connected), address)) => Some((connected, address)),
        Ok((Err(error), address)) => {
            failures.push((address, error));
            None
        }
        // An attempt that panicked has no address left to report; the others go on.
        Err(_panicked) => None,
    }
}

/// Orders addresses by family in turn, beginning with the family of the resolver's first answer.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let count = addresses.len();
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::with_capacity(count);
    while ordered.len() < count {
        ordered.extend(first.next());
        ordered.extend(second.next());
    }
    ordered
}

/// RFC 8305 section 5: the recommended time between two attempts.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;

    use super::*;

    fn addresses(names: &str) -> Vec<SocketAddr> {
        names
            .split_whitespace()
            .map(|name| match name.split_at(1) {
                ("4", host) => format!("192.0.2.{host}:1").parse().unwrap(),
                (_, host) => format!("[2001:db8::{host}]:1").parse().unwrap(),
            })
            .collect()
    }

    #[track_caller]
    fn check_order(names: &str, expected: &str) {
        assert_eq!(interleave(addresses(names)), addresses(expected));
    }

    #[test]
    fn families_take_turns_from_the_one_the_resolver_prefers() {
        check_order("61 62 41 42", "61 41 62 42");
        check_order("41 42 61", "41 61 42");
        check_order("61 62 63 41", "61 41 62 63");
        check_order("41", "41");
        check_order("", "");
    }

    /// What an address does, and after how many milliseconds.
    #[derive(Clone, Copy)]
    enum Does {
        Answers(u64),
        Refuses(u64),
        Silent,
    }
    use Does::{Answers, Refuses, Silent};

    /// Expects the winner (its place in the list) after so many milliseconds, and when each attempt began.
    async fn check(does: &'static [Does], expected: (Option<usize>, u128), begins: &[u128]) {
        let names: Vec<_> = (1..=does.len()).map(|host| format!("4{host}")).collect();
        let list = addresses(&names.join(" "));
        let start = Instant::now();
        let begun = Arc::new(Mutex::new(Vec::new()));
        let attempt = |address: SocketAddr| {
            let (begun, list) = (Arc::clone(&begun), list.clone());
            async move {
                begun.lock().unwrap().push(start.elapsed().as_millis());
                let place = list.iter().position(|other| *other == address).unwrap();
                let after = |ms| sleep(Duration::from_millis(ms));
                match does[place] {
                    Answers(ms) => after(ms).await,
                    Refuses(ms) => {
                        after(ms).await;
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                    Silent => std::future::pending().await,
                }
                Ok(place)
            }
        };
        let won = race(list.clone(), attempt).await.ok().map(|(place, _)| place);
        assert_eq!((won, start.elapsed().as_millis()), expected);
        assert_eq!(*begun.lock().unwrap(), begins);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_that_answers_wins() {
        check(&[Answers(10), Answers(1)], (Some(0), 10), &[0]).await;
        check(&[Answers(300), Answers(10)], (Some(1), 260), &[0, 250]).await;
        check(&[Answers(300), Answers(100)], (Some(0), 300), &[0, 250]).await;
        check(&[Silent, Silent, Answers(5)], (Some(2), 505), &[0, 250, 500]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_begins_the_next_attempt_at_once() {
        check(&[Refuses(20), Answers(5)], (Some(1), 25), &[0, 20]).await;
        check(&[Refuses(20), Refuses(20), Silent, Answers(5)], (Some(3), 295), &[0, 20, 40, 290]).await;
        check(&[Refuses(20), Answers(1000)], (Some(1), 1020), &[0, 20]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_wins_when_all_refuse() {
        check(&[Refuses(20), Refuses(400)], (None, 420), &[0, 20]).await;
        check(&[], (None, 0), &[]).await;
    }

    #[tokio::test]
    async fn the_error_lists_every_address_with_its_reason() {
        let refuse = |_| async { Err::<(), _>(io::ErrorKind::ConnectionRefused.into()) };
        let error = race(addresses("61 41"), refuse).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(error.to_string(), "[2001:db8::1]:1: connection refused; 192.0.2.1:1: connection refused");
    }
}
