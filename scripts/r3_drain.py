#!/usr/bin/env python3
"""R3: SIGTERM under load, 20 times: no request whose bytes were sent before the signal fails.

usage: r3_drain.py HOST:PORT [--path PATH] [--runs N] [--clients N] -- COMMAND...
The command starts the server at that address.
"""
import argparse, signal, socket, subprocess, sys, threading, time


class Client(threading.Thread):
    """Sends one request after the other on one connection until the server ends it."""

    def __init__(self, address, path, stop):
        super().__init__(daemon=True)
        self.address, self.stop = address, stop
        self.request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self.answered, self.failed_at, self.closes = 0, [], 0

    def one(self, connection):
        """Returns whether the connection goes on."""
        connection.sendall(self.request)
        sent = time.monotonic()
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    raise OSError("closed")
                data += more
            head, body = data.split(b"\r\n\r\n", 1)
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            while len(body) < length:
                more = connection.recv(65536)
                if not more:
                    raise OSError("closed")
                body += more
        except OSError:
            self.failed_at.append(sent)
            return False
        self.answered += 1
        self.closes += b"connection: close" in head.lower()
        return b"connection: close" not in head.lower()

    def run(self):
        while not self.stop.is_set():
            try:
                with socket.create_connection(self.address, timeout=10) as connection:
                    while not self.stop.is_set() and self.one(connection):
                        pass
            except OSError:
                return


def wait_for(address):
    for _ in range(200):
        try:
            socket.create_connection(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("FAIL the server does not start")


def main():
    arguments, command = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, command = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--path", default="/")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args(arguments)
    host, port = options.address.rsplit(":", 1)
    address = (host, int(port))
    answered = failed = closes = bad_exit = 0
    slowest = 0.0
    for _ in range(options.runs):
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(address)
        stop = threading.Event()
        clients = [Client(address, options.path, stop) for _ in range(options.clients)]
        for client in clients:
            client.start()
        time.sleep(0.6)
        signalled = time.monotonic()
        server.send_signal(signal.SIGTERM)
        try:
            bad_exit += server.wait(35) != 0
        except subprocess.TimeoutExpired:
            server.kill()
            bad_exit += 1
        slowest = max(slowest, time.monotonic() - signalled)
        stop.set()
        for client in clients:
            client.join(5)
            answered += client.answered
            closes += client.closes
            failed += sum(1 for sent in client.failed_at if sent <= signalled)
    passed = failed == 0 and bad_exit == 0 and answered > 0
    print("PASS" if passed else "FAIL", f"R3 {options.runs} signals: {answered} answered, {failed} failed of those sent before,",
          f"{closes} answers with Connection: close, {bad_exit} exits other than 0, slowest end {slowest:.2f} s")
    sys.exit(0 if passed else 1)


main()
