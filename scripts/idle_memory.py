"""Own memory of an idle connection: 5,000 clients on a release build. Pass: a silent one takes at most 1.3 KiB, raw or
HTTP, and a kept-alive one after a request at most 11 KiB.

A kept-alive connection gives hyper's buffers back half a second after its answer. The clients come 1,000 a second, as
the figure depends on how many are busy at once: the C library seldom returns to the kernel what it held at the peak.
"""

import os
import resource
import socket
import time

os.environ["HAECHI_PROFILE"] = "release"
from server_process import build, own_kib, passed_socket, start, verdict  # noqa: E402

CLIENTS, EACH_SECOND = 5000, 1000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def measure(example, request, kept_alive):
    listener = passed_socket()
    server = start(example, listener)

    def ask(client):
        client.sendall(request)
        assert client.recv(1000)

    # The first connections make what is made once.
    for _ in range(20):
        with socket.create_connection(listener.getsockname()) as client:
            ask(client)
    time.sleep(0.5)
    before = own_kib(server)
    clients, began = [], time.monotonic()
    for number in range(CLIENTS):
        client = socket.create_connection(listener.getsockname())
        clients.append(client)
        if kept_alive:
            ask(client)
            time.sleep(max(0.0, began + number / EACH_SECOND - time.monotonic()))
    if kept_alive:
        time.sleep(1)
    else:
        # The last of them has been accepted when it is answered.
        ask(clients[-1])
    each = (own_kib(server) - before) / CLIENTS
    if kept_alive:
        for client in clients[:: CLIENTS // 50]:
            ask(client)
    for client in clients:
        client.close()
    server.kill()
    server.wait()
    return each


resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENTS + 1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
build("line_echo", "axum_plain")
raw = measure("line_echo", b"x\n", kept_alive=False)
silent = measure("axum_plain", GET, kept_alive=False)
kept = measure("axum_plain", GET, kept_alive=True)
figures = f"KiB for each of {CLIENTS}: {raw:.2f} silent raw, {silent:.2f} silent HTTP, {kept:.2f} kept alive after a request"
verdict("idle memory", figures, raw <= 1.3 and silent <= 1.3 and kept <= 11)
