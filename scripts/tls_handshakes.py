"""R11: 500 half-open handshakes, and a certificate renewed under load. Pass: all half-open ones are cut in 11 s while
others are served, and no handshake or echo fails over ten renewals. Needs openssl to issue certificates.
"""

import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from server_process import build, passed_socket, start, verdict

HALF_OPEN, RENEWALS, CLIENTS, LIMIT = 500, 10, 4, 11


def issue(directory, number):
    key, chain = os.path.join(directory, "key.pem"), os.path.join(directory, "chain.pem")
    new = ["-keyout", key + ".new", "-out", chain + ".new", "-subj", f"/CN=renewal {number}", "-days", "1"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *curve, *new], check=True, stderr=subprocess.DEVNULL)
    os.replace(key + ".new", key)
    os.replace(chain + ".new", chain)
    return chain, key


def context():
    # The client looks at which certificate is shown, not at who vouches for it.
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    return unverified


def shown():
    with socket.create_connection(listener.getsockname(), timeout=20) as plain:
        with context().wrap_socket(plain) as secure:
            secure.sendall(b"hello")
            assert secure.recv(100) == b"hello"
            return secure.getpeercert(binary_form=True)


def load(number):
    while not stop.is_set():
        try:
            seen.add(shown())
            echoes[number] += 1
        except (OSError, AssertionError) as error:
            failures.append(repr(error))


build("echo_tls")
listener = passed_socket()
seen, failures, echoes, stop = set(), [], [0] * CLIENTS, threading.Event()
with tempfile.TemporaryDirectory() as directory:
    chain, key = issue(directory, 0)
    server = start("echo_tls", listener, HAECHI_TLS_CERTIFICATE=chain, HAECHI_TLS_KEY=key)
    threads = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for number in range(1, RENEWALS + 1):
        issue(directory, number)
        server.send_signal(signal.SIGHUP)
        time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()

    half = []
    for index in range(HALF_OPEN):
        client = socket.create_connection(listener.getsockname(), timeout=LIMIT + 5)
        if index % 2:
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        half.append(client)
    began = time.monotonic()
    shown()
    during = time.monotonic() - began
    cut = 0
    for client in half:
        client.settimeout(max(0.01, began + LIMIT - time.monotonic()))
        try:
            while client.recv(100):
                pass
            cut += 1
        except ConnectionResetError:
            cut += 1
        except TimeoutError:
            pass
    seconds = time.monotonic() - began
    server.kill()
    server.wait()
figures = (
    f"{sum(echoes)} handshakes over {RENEWALS} renewals, {len(seen)} certificates seen, {len(failures)} failures "
    f"{failures[:2]}; {cut} of {HALF_OPEN} half-open cut in {seconds:.1f} s, an echo meanwhile took {during * 1000:.0f} ms"
)
verdict("tls handshakes", figures, not failures and len(seen) > RENEWALS // 2 and cut == HALF_OPEN)
