#!/usr/bin/env python3
"""R9: 200 parallel uploads at the limit and 100 parallel sign-ins against the release-built board.

Pass, in every round: RSS < 512 MB, p99 of `/` < 250 ms meanwhile, nothing but 503 with Retry-After is refused, and afterwards the
memory falls back and a sign-in works. The server's exit code is printed, and where its log is kept if a run fails.

usage: r9_flood.py [--rounds N] [--sign-ins N] [--board PATH] [--under "perf stat -o FILE"]   (loopback only; a round takes some 20 s)
"""
import argparse, http.client, multiprocessing, os, re, shlex, shutil, signal, subprocess, sys, tempfile, threading, time
import urllib.parse

from server_process import ROOT

ADDRESS = ("127.0.0.1", 8949)
HERE = f"{ADDRESS[0]}:{ADDRESS[1]}"
PASSWORD = "correct horse battery"
LIMIT = 2 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
BOUNDED = {"uploads": 200, "sign-ins": 100}


class Visitor:
    """A browser with its cookies and the form token of the last page, from a network of its own behind a proxy."""

    count = 0

    def __init__(self):
        self.cookies, self.token = {}, ""
        Visitor.count += 1
        self.network = f"10.{Visitor.count >> 8 & 255}.{Visitor.count & 255}.1"

    def ask(self, method, path, body=None, kind=FORM):
        connection = http.client.HTTPConnection(*ADDRESS, timeout=60)
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Connection": "close", "X-Forwarded-For": self.network}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = kind
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies[name] = value
        found = re.search(r'name="csrf_token" value="([^"]+)"', text)
        self.token = found.group(1) if found else self.token
        return answer.status, answer.headers.get("Retry-After")

    def sign_in(self, name="ada"):
        fields = {"username": name, "password": PASSWORD, "csrf_token": self.token}
        return self.ask("POST", "/accounts/login", urllib.parse.urlencode(fields))


def body_of_a_form(visitor):
    """An urlencoded form at the limit, its token at the end: the layer has to read the whole of it."""
    end = f"&csrf_token={urllib.parse.quote(visitor.token)}"
    return "title=x&body=" + "a" * (LIMIT - len("title=x&body=") - len(end)) + end, FORM


def body_of_a_file(visitor):
    """A multipart form at the limit."""
    head = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{visitor.token}\r\n'
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    end = "\r\n--b--\r\n"
    return head + "a" * (LIMIT - len(head) - len(end)) + end, "multipart/form-data; boundary=b"


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def look(pid, over, found):
    """Asks for `/` and looks at the memory until it is told to stop; a process of its own, whose time no flood takes."""
    visitor, times, bad, peak = Visitor(), [], [], 0.0
    while not over.is_set():
        began = time.monotonic()
        status, _ = visitor.ask("GET", "/")
        times.append((time.monotonic() - began) * 1000)
        bad += [status] if status != 200 else []
        peak = max(peak, resident(pid))
        time.sleep(0.01)
    found.put((times, bad, peak))


def flood(member, pid):
    """Returns the statuses of the uploads and of the sign-ins, and what was seen meanwhile."""
    guests = [Visitor() for _ in range(BOUNDED["sign-ins"])]
    for guest in guests:
        guest.ask("GET", "/accounts/login")
    member.ask("GET", "/posts/new")
    bodies = [body_of_a_form(member), body_of_a_file(member)]
    seen, lock, start = {"uploads": [], "sign-ins": []}, threading.Lock(), threading.Event()

    def run(kind, ask):
        start.wait()
        try:
            answer = ask()
        except (OSError, http.client.HTTPException) as error:
            answer = (type(error).__name__, None)
        with lock:
            seen[kind].append(answer)

    def upload(number):
        visitor = Visitor()
        visitor.cookies = dict(member.cookies)
        body, content = bodies[number % 2]
        return visitor.ask("POST", "/posts/new", body, content)

    work = [threading.Thread(target=run, args=("uploads", lambda n=n: upload(n))) for n in range(BOUNDED["uploads"])]
    # Unknown names cost as much as known ones, and no throttle spares the server the work.
    names = [f"guest{number}" for number in range(len(guests))]
    work += [
        threading.Thread(target=run, args=("sign-ins", lambda guest=guest, name=name: guest.sign_in(name)))
        for guest, name in zip(guests, names)
    ]
    for thread in work:
        thread.start()
    over, found = multiprocessing.Event(), multiprocessing.Queue()
    watch = multiprocessing.Process(target=look, args=(pid, over, found))
    watch.start()
    time.sleep(0.5)
    start.set()
    for thread in work:
        thread.join(120)
    over.set()
    times, bad, peak = found.get(timeout=60)
    watch.join(30)
    return seen, times, bad, peak


def count(answers):
    counted = {}
    for status, _ in answers:
        counted[status] = counted.get(status, 0) + 1
    return counted


def round_of(number, pid):
    member = Visitor()
    member.ask("GET", "/accounts/login")
    assert member.sign_in()[0] == 303, "nobody can sign in before the flood"
    before = resident(pid)
    began = time.monotonic()
    seen, times, bad, peak = flood(member, pid)
    took = time.monotonic() - began
    time.sleep(3)
    after = resident(pid)
    late = Visitor()
    late.ask("GET", "/accounts/login")
    signed_in = late.sign_in()[0]
    p99 = sorted(times)[int(len(times) * 0.99)]
    refused = [answer for answer in seen["uploads"] + seen["sign-ins"] if answer[0] in (429, 503)]
    known = {303, 413, 415, 422, 429, 503}
    passed = (
        peak < 512 and p99 < 250 and not bad and signed_in == 303 and after < peak
        and all(wait for _, wait in refused)
        and all(status in known for status, _ in seen["uploads"] + seen["sign-ins"])
        and all(len(seen[kind]) == most for kind, most in BOUNDED.items())
    )
    print(
        f"{'PASS' if passed else 'FAIL'} R9 round {number}: RSS {before:.0f} -> {peak:.0f} -> {after:.0f} MB,"
        f" p99 of / {p99:.0f} ms of {len(times)}, uploads {count(seen['uploads'])}, sign-ins {count(seen['sign-ins'])},"
        f" a sign-in afterwards {signed_in}, {took:.1f} s",
        flush=True,
    )
    return passed


def start(command, folder, environment):
    """Starts the server in a process of its own, with its log in the folder."""
    with open(os.path.join(folder, "log"), "w") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def inner(outer):
    """Returns the process id of the server that runs under another program."""
    with open(f"/proc/{outer.pid}/task/{outer.pid}/children") as children:
        return int(children.read().split()[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--board")
    parser.add_argument("--sign-ins", type=int, default=100, help="more than 64 a core fill the queue: some get 503")
    parser.add_argument("--under", default="", help="a command to run the server under")
    options = parser.parse_args()
    BOUNDED["sign-ins"] = min(options.sign_ins, 500)
    if not options.board:
        subprocess.run(["cargo", "build", "-q", "--release", "-p", "board"], cwd=ROOT, check=True)
        target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
        options.board = os.path.join(target, "release", "board")
    options.board = os.path.abspath(options.board)
    folder = tempfile.mkdtemp(prefix="board-r9-")
    with open(os.path.join(folder, "haechi.toml"), "w") as file:
        file.write('mode = "development"\ntrusted_proxies = ["127.0.0.1"]\n[limits]\nrequests_per_minute = 1000000\n')
    environment = {**os.environ, "HAECHI_BIND": HERE, "HAECHI_LOG": "warn"}
    outer = start([*shlex.split(options.under), options.board], folder, environment)
    results, pid = [], outer.pid
    try:
        time.sleep(2)
        pid = inner(outer) if options.under else outer.pid
        command = [options.board, "user", "add", "ada"]
        subprocess.run(command, cwd=folder, env=environment, input=PASSWORD + "\n", text=True, check=True, capture_output=True)
        for number in range(options.rounds):
            results.append(round_of(number + 1, pid))
    except Exception as error:  # Whatever ended the run: how the server ended is told below.
        print(f"FAIL R9: {error!r}", flush=True)
    finally:
        time.sleep(1)
        code = outer.poll()
        ended = "by itself" if code is not None else "when it was told to"
        if code is None:
            os.kill(pid, signal.SIGTERM)
            code = outer.wait(60)
    with open(os.path.join(folder, "log")) as log:
        failures = [line for line in log if "failed" in line or "panicked" in line]
    print("".join(failures[:5]), end="")
    passed = len(results) == options.rounds and all(results) and not failures and ended != "by itself"
    print(f"the server ended {ended}, exit code {code}")
    if passed:
        shutil.rmtree(folder)
    else:
        print(f"its log: {os.path.join(folder, 'log')}")
    sys.exit(0 if passed else 1)


main()
