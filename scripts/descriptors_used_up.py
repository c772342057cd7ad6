"""R8: 128 descriptors and 500 clients. Pass: less than 20 % of a core while they sit there, an answer within 2 s after."""

import socket
import time

from server_process import build, cpu_seconds, passed_socket, start, verdict

DESCRIPTORS, CLIENTS, SECONDS = 128, 500, 5
build("chat")
listener = passed_socket()
server = start("chat", listener, descriptors=DESCRIPTORS)
clients = [socket.create_connection(listener.getsockname(), timeout=10) for _ in range(CLIENTS)]
time.sleep(1)
before = cpu_seconds(server)
time.sleep(SECONDS)
share = (cpu_seconds(server) - before) / SECONDS
for client in clients:
    client.close()
began = time.monotonic()
with socket.create_connection(listener.getsockname(), timeout=10) as client:
    client.sendall(b"anybody here?\n")
    answer = client.recv(1024)
seconds = time.monotonic() - began
alive = server.poll() is None
server.kill()
server.wait()
figures = f"{CLIENTS} clients on {DESCRIPTORS} descriptors: {share:.1%} cpu, then an answer after {seconds * 1000:.0f} ms"
verdict("descriptors used up", figures, alive and answer.endswith(b"anybody here?\n") and share < 0.2 and seconds < 2)
