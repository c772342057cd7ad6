//! Who gets in: connections in all, and connections of one client network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::pressure::Pressure;
use crate::{Limits, Network};

/// The count of places, held by all listeners and cores together.
#[derive(Debug)]
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    per_network: usize,
    networks: Mutex<HashMap<Network, usize>>,
}

impl Admission {
    /// Returns an admission with as many places as the limits and the process's descriptors allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current;
        let places = places(limits.connections, descriptors);
        if places < limits.connections {
            tracing::warn!(
                "the descriptor limit of this process leaves room for {places} of {} connections: raise it \
                 (`ulimit -n`, or `LimitNOFILE=` in the systemd unit) or lower `Limits::connections`",
                limits.connections
            );
        }
        Self {
            places: Arc::new(Semaphore::new(places)),
            per_network: limits.connections_per_network,
            networks: Mutex::default(),
        }
    }

    /// Waits for a place. While there is none, idle connections are asked to go, one for each try.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe; a call that is dropped loses its turn, not a place.
    pub(crate) async fn place(self: &Arc<Self>, pressure: &Pressure) -> Place {
        let admission = Arc::clone(self);
        if let Ok(permit) = self.places.try_acquire() {
            permit.forget();
            return Place { admission, network: None };
        }
        let _wanted = pressure.want();
        loop {
            pressure.press();
            if let Ok(Ok(permit)) = timeout(RETRY, self.places.acquire()).await {
                permit.forget();
                return Place { admission, network: None };
            }
        }
    }

    fn leave(&self, network: Option<Network>) {
        if let Some(network) = network {
            let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = networks.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    networks.remove(&network);
                }
            }
        }
        self.places.add_permits(1);
    }
}

/// One connection's place in the counts, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    network: Option<Network>,
}

impl Place {
    /// Counts this place for the client's network; `false` when that network holds all it may.
    ///
    /// Loopback is not counted: behind it stand a local proxy's clients.
    pub(crate) fn count_for(&mut self, client: IpAddr) -> bool {
        if client.to_canonical().is_loopback() {
            return true;
        }
        let network = Network::of_client(client);
        let mut networks = self.admission.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let count = networks.entry(network).or_insert(0);
        if *count >= self.admission.per_network {
            return false;
        }
        *count += 1;
        self.network = Some(network);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.leave(self.network);
    }
}

/// Returns how many connections the descriptor limit leaves room for: some stay in reserve for files, databases
/// and the listeners themselves.
fn places(connections: usize, descriptors: Option<u64>) -> usize {
    let Some(descriptors) = descriptors else { return connections.min(Semaphore::MAX_PERMITS) };
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let reserve = (descriptors / 8).max(LEAST_RESERVE);
    connections.min(descriptors.saturating_sub(reserve).max(1)).min(Semaphore::MAX_PERMITS)
}

const LEAST_RESERVE: usize = 32;
const RETRY: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_places(connections: usize, descriptors: Option<u64>, expected: usize) {
        assert_eq!(places(connections, descriptors), expected);
    }

    #[test]
    fn descriptors_bound_the_connections_less_a_reserve() {
        check_places(16_384, None, 16_384);
        check_places(16_384, Some(1_048_576), 16_384);
        check_places(16_384, Some(1_024), 896);
        check_places(16_384, Some(128), 96);
        check_places(50, Some(128), 50);
        check_places(16_384, Some(20), 1);
        check_places(16_384, Some(u64::MAX), 16_384);
    }

    fn admission(connections: usize, connections_per_network: usize) -> Arc<Admission> {
        Arc::new(Admission::new(&Limits { connections, connections_per_network, ..Limits::default() }))
    }

    #[track_caller]
    fn check_networks(clients: &[&str], expected: &[bool]) {
        let admission = admission(100, 2);
        let mut held = Vec::new();
        let entered: Vec<bool> = clients
            .iter()
            .map(|client| {
                let mut place = Place { admission: Arc::clone(&admission), network: None };
                let entered = place.count_for(client.parse().unwrap());
                held.push(place);
                entered
            })
            .collect();
        assert_eq!(entered, expected, "{clients:?}");
        drop(held);
        assert!(admission.networks.lock().unwrap().is_empty(), "every count is given back");
    }

    #[test]
    fn one_network_gets_no_more_than_its_share() {
        check_networks(&["192.0.2.1", "192.0.2.1", "192.0.2.1"], &[true, true, false]);
        check_networks(&["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"], &[true, true, false]);
        check_networks(&["192.0.2.1", "192.0.2.1", "192.0.2.2"], &[true, true, true]);
        check_networks(&["2001:db8::1", "2001:db8::2", "2001:db8::3"], &[true, true, false]);
        check_networks(&["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"], &[true, true, true]);
        check_networks(&["127.0.0.1", "127.0.0.1", "127.0.0.1"], &[true, true, true]);
        check_networks(&["::1", "::1", "::ffff:127.0.0.1"], &[true, true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_place_asks_idle_connections_to_go() {
        let (admission, pressure) = (admission(1, 1), Pressure::default());
        let held = admission.place(&pressure).await;
        let idle = async {
            pressure.pressed().await;
            drop(held);
        };
        tokio::join!(idle, async { drop(admission.place(&pressure).await) });
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_gets_a_place_that_is_held() {
        let (admission, pressure) = (admission(1, 1), Pressure::default());
        let held = admission.place(&pressure).await;
        assert!(timeout(Duration::from_secs(3600), admission.place(&pressure)).await.is_err());
        drop(held);
        drop(admission.place(&pressure).await);
    }
}
