#!/usr/bin/env python3
"""R1: 2,000 connections drip a request head; health answers, and the server closes them.

usage: r1_slow_heads.py HOST:PORT [PID] [--head SECONDS] [--count N]
"""
import argparse, resource, select, socket, statistics, sys, time


def raise_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def health(address):
    began = time.monotonic()
    with socket.create_connection(address, timeout=5) as probe:
        probe.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = probe.recv(64)
    if b" 200 " not in answer:
        raise SystemExit(f"FAIL health answered {answer!r}")
    return (time.monotonic() - began) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("pid", nargs="?", type=int)
    parser.add_argument("--head", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    host, port = options.address.rsplit(":", 1)
    address = (host, int(port))
    count = min(options.count, raise_limit() - 100)
    before = resident(options.pid) if options.pid else 0

    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    alive, opened, closed_after, times, peak = {}, {}, [], [], before
    poll = select.poll()
    for _ in range(count):
        client = socket.create_connection(address, timeout=10)
        client.setblocking(False)
        client.send(head)
        alive[client.fileno()] = client
        opened[client.fileno()] = time.monotonic()
        poll.register(client, select.POLLIN | select.POLLHUP | select.POLLERR)
    end, next_drip, next_probe = time.monotonic() + options.head + 5, 0.0, 0.0
    while alive and time.monotonic() < end:
        now = time.monotonic()
        if now >= next_drip:
            next_drip = now + 1
            for client in alive.values():
                try:
                    client.send(b"a")
                except OSError:
                    pass
            if options.pid:
                peak = max(peak, resident(options.pid))
        if now >= next_probe:
            next_probe = now + 0.05
            times.append(health(address))
        for descriptor, _ in poll.poll(20):
            try:
                gone = alive[descriptor].recv(4096) == b""
            except OSError:
                gone = True
            if gone:
                poll.unregister(descriptor)
                closed_after.append(time.monotonic() - opened[descriptor])
                alive.pop(descriptor).close()
    in_time = sum(1 for seconds in closed_after if seconds <= options.head + 2)
    p99 = statistics.quantiles(times, n=100)[98]
    growth = (peak - before) / count
    rows = [
        (f"health p99 {p99:.1f} ms of {len(times)}", p99 < 200),
        (f"{in_time} of {count} closed within head + 2 s", in_time >= 0.95 * count),
    ]
    if options.pid:
        rows.append((f"{growth / 1024:.1f} KiB resident a connection at the peak", growth < 32 * 1024))
    for text, passed in rows:
        print("PASS" if passed else "FAIL", "R1", text)
    sys.exit(0 if all(passed for _, passed in rows) else 1)


main()
