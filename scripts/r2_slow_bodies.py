#!/usr/bin/env python3
"""R2: 400 connections move 20 bytes a second, half as upload, half as download; all are closed within 30 s.

usage: r2_slow_bodies.py HOST:PORT [--upload PATH] [--download PATH] [--count N]
The download has to be larger than what the kernel buffers (16 MiB is).
"""
import argparse, resource, socket, sys, time


TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8


def health(address):
    began = time.monotonic()
    with socket.create_connection(address, timeout=5) as probe:
        probe.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        if b" 200 " not in probe.recv(64):
            raise SystemExit("FAIL health")
    return (time.monotonic() - began) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--upload", default="/echo")
    parser.add_argument("--download", default="/big")
    parser.add_argument("--count", type=int, default=400)
    options = parser.parse_args()
    host, port = options.address.rsplit(":", 1)
    address = (host, int(port))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    uploads, downloads = [], []
    for number in range(options.count):
        client = socket.socket()
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(address)
        if number % 2:
            client.sendall(f"GET {options.download} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            downloads.append(client)
        else:
            client.sendall(f"POST {options.upload} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n".encode())
            uploads.append(client)
        client.setblocking(False)
    began, closed, times = time.monotonic(), {"upload": [], "download": []}, []
    while (uploads or downloads) and time.monotonic() - began < 40:
        for kind, clients in (("upload", uploads), ("download", downloads)):
            for client in list(clients):
                gone = False
                try:
                    if kind == "upload":
                        client.send(b"x" * 20)
                        # An answer before the end of the body is followed by the close.
                        gone = client.recv(4096) != b"unreachable"
                    else:
                        # What a reset leaves in our own buffer could be read for minutes yet: ask the kernel.
                        state = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
                        gone = state in (TCP_CLOSE, TCP_CLOSE_WAIT) or client.recv(20) == b""
                except BlockingIOError:
                    pass
                except OSError:
                    gone = True
                if gone:
                    clients.remove(client)
                    client.close()
                    closed[kind].append(time.monotonic() - began)
        times.append(health(address))
        time.sleep(max(0.0, 1 - (time.monotonic() - began) % 1))
    passed = True
    for kind, left in (("upload", uploads), ("download", downloads)):
        last = max(closed[kind], default=0)
        good = not left and last <= 30
        passed &= good
        print("PASS" if good else "FAIL", f"R2 slow {kind}: {len(closed[kind])} closed, the last after {last:.1f} s, {len(left)} left")
    p99 = max(times)
    passed &= p99 < 200
    print("PASS" if p99 < 200 else "FAIL", f"R2 health: slowest {p99:.1f} ms of {len(times)}")
    sys.exit(0 if passed else 1)


main()
