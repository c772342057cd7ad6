//! Descriptors used up: the server waits, does not spin, and comes back.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::child::Child;

fn limit(pid: Pid, descriptors: u64) {
    prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(descriptors), maximum: Some(256) }).unwrap();
}

/// Returns the processor time a process has used, in clock ticks of ten milliseconds.
fn ticks(pid: Pid) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn greeting(mut client: TcpStream) -> String {
    let mut answer = String::new();
    client.write_all(b"hello").unwrap();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn without_descriptors_the_server_waits_without_spinning_and_recovers() {
    let child = Child::start("hello_socket", &[]);
    assert_eq!(greeting(TcpStream::connect(child.address).unwrap()), "Hello, client!");
    limit(child.pid(), 3);
    let mut waiting: Vec<_> = (0..20).map(|_| TcpStream::connect(child.address).unwrap()).collect();
    for client in &mut waiting {
        client.write_all(b"hello").unwrap();
        client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    }
    let before = ticks(child.pid());
    assert!(waiting[0].read(&mut [0]).is_err(), "there was no descriptor to serve it with");
    let used = ticks(child.pid()) - before;
    assert!(used < 20, "{used} ticks of 100 were used while waiting");

    limit(child.pid(), 256);
    let start = Instant::now();
    for client in waiting {
        client.set_read_timeout(None).unwrap();
        assert_eq!(greeting(client), "Hello, client!");
    }
    assert!(start.elapsed() < Duration::from_secs(2));
}
