"""10,000 idle connections within the limit, then 300 slow clients: 100 with a slow head, 100 with a slow body, 100 that
read slowly. Pass: all 10,000 are held, and no health check on a new connection takes 100 ms, in either part.

A release build on loopback. Needs 10,200 descriptors here and 11,500 in the server.
"""

import os
import resource
import socket
import time

os.environ["HAECHI_PROFILE"] = "release"
from server_process import build, own_kib, passed_socket, start, verdict  # noqa: E402

IDLE, SLOW, SECONDS, SLOWEST = 10_000, 100, 8, 0.1
HEALTH = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def health():
    """Returns how long an answer takes on a new connection."""
    began = time.monotonic()
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(HEALTH)
        assert b" 200 " in client.recv(1000)
    return time.monotonic() - began


def is_open(client):
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def hold_idle():
    """Half have had an answer, half have said nothing; returns how many are open after a while, and the checks."""
    clients, times, before = [], [], own_kib(server)
    for number in range(IDLE):
        client = socket.create_connection(address, timeout=5)
        if number % 2:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in client.recv(1000)
        clients.append(client)
    opened = time.monotonic()
    while time.monotonic() < opened + 2:
        times.append(health())
        time.sleep(0.02)
    held, each = sum(map(is_open, clients)), (own_kib(server) - before) / IDLE
    for client in clients:
        client.close()
    return held, each, times


def beset():
    """Drips one byte a second into heads and bodies, and reads one byte a second; returns the checks meanwhile."""
    clients, times = [], []
    for number in range(3 * SLOW):
        client = socket.socket()
        if number % 3 == 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(address)
        client.sendall(
            [
                b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
                b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
                b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n",
            ][number % 3]
        )
        client.setblocking(False)
        clients.append(client)
    began = next_drip = time.monotonic()
    while time.monotonic() < began + SECONDS:
        if time.monotonic() >= next_drip:
            next_drip += 1
            for number, client in enumerate(clients):
                try:
                    client.recv(1) if number % 3 == 2 else client.send(b"x")
                except OSError:
                    pass
        times.append(health())
        time.sleep(0.02)
    for client in clients:
        client.close()
    return times


resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
build("axum_plain")
listener = passed_socket()
address = listener.getsockname()
server = start("axum_plain", listener, descriptors=IDLE + 1_500)
health()
held, each, idle_times = hold_idle()
slow_times = beset()
server.kill()
server.wait()
idle_slowest, slow_slowest = max(idle_times), max(slow_times)
figures = (
    f"{held} of {IDLE} idle held, {each:.2f} KiB each; slowest health check {idle_slowest * 1000:.0f} ms of {len(idle_times)} "
    f"beside them, {slow_slowest * 1000:.0f} ms of {len(slow_times)} beside {3 * SLOW} slow clients"
)
verdict("many connections", figures, held == IDLE and max(idle_slowest, slow_slowest) < SLOWEST)
