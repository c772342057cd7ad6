"""R1 on raw sockets: 2,000 clients that never finish a line. Pass: an honest client's answer takes under 200 ms (p99),
95 % of the others are closed within 12 s, and each costs less than 32 KiB.

The first half sends nothing, the second half sends one byte every two seconds.
"""

import selectors
import socket
import time

from server_process import build, own_kib, passed_socket, start, verdict

CLIENTS, LIMIT = 2000, 12
build("line_echo")
listener = passed_socket()
server = start("line_echo", listener)
before = own_kib(server)
began = time.monotonic()
clients, selector = [], selectors.DefaultSelector()
for _ in range(CLIENTS):
    client = socket.create_connection(listener.getsockname(), timeout=10)
    client.setblocking(False)
    selector.register(client, selectors.EVENT_READ)
    clients.append(client)
opened = time.monotonic()
open_now, slow, times, growth, next_drip = set(clients), clients[CLIENTS // 2 :], [], 0, 0.0
while open_now and time.monotonic() < opened + LIMIT:
    if time.monotonic() > next_drip:
        next_drip = time.monotonic() + 2
        for client in slow:
            try:
                client.send(b"x")
            except OSError:
                pass
    asked = time.monotonic()
    with socket.create_connection(listener.getsockname(), timeout=10) as honest:
        honest.sendall(b"health\n")
        assert honest.recv(100) == b"health\n"
    times.append(time.monotonic() - asked)
    growth = max(growth, own_kib(server) - before)
    for key, _ in selector.select(timeout=0.05):
        try:
            ended = key.fileobj.recv(1) == b""
        except OSError:
            ended = True
        if ended:
            selector.unregister(key.fileobj)
            open_now.discard(key.fileobj)
server.kill()
server.wait()
times.sort()
p99 = times[int(len(times) * 0.99)]
closed = 1 - len(open_now) / CLIENTS
figures = f"{CLIENTS} clients: {closed:.1%} closed in {LIMIT} s, {growth / CLIENTS:.2f} KiB each, answer p99 {p99 * 1000:.0f} ms of {len(times)}"
verdict("silent and slow clients", figures, closed >= 0.95 and p99 < 0.2 and growth / CLIENTS < 32)
