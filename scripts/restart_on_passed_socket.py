"""R4: twenty restarts on a passed socket under load. Pass: no client is refused, reset or left without its answer."""

import signal
import socket
import threading
import time

from server_process import build, passed_socket, start, verdict

RESTARTS, CLIENTS = 20, 4
listener = passed_socket()
answered, failures, stop = [0] * CLIENTS, [], threading.Event()


def load(number):
    while not stop.is_set():
        try:
            with socket.create_connection(listener.getsockname(), timeout=20) as client:
                client.sendall(b"Hello, server!")
                answer = b""
                while piece := client.recv(1024):
                    answer += piece
            if answer != b"Hello, client!":
                failures.append(f"answer {answer!r}")
            answered[number] += 1
        except OSError as error:
            failures.append(repr(error))


def drop_output(process):
    threading.Thread(target=process.stdout.read, daemon=True).start()


build("hello_socket")
server = start("hello_socket", listener)
drop_output(server)
threads = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
for thread in threads:
    thread.start()
codes = []
for _ in range(RESTARTS):
    time.sleep(0.2)
    server.send_signal(signal.SIGTERM)
    successor = start("hello_socket", listener)
    drop_output(successor)
    codes.append(server.wait(timeout=30))
    server = successor
stop.set()
for thread in threads:
    thread.join()
server.kill()
server.wait()
figures = f"{RESTARTS} restarts, {sum(answered)} answers, {len(failures)} failures {failures[:3]}, exit codes {set(codes)}"
verdict("restart on a passed socket", figures, not failures and sum(answered) > RESTARTS and set(codes) == {0})
