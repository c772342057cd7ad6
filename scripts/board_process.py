"""The built board in a process of its own, and visitors with cookies who send its forms. Loopback only."""

import glob
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from server_process import ROOT

PASSWORD = "correct horse battery"


def build():
    """Builds the board and returns the path of the program."""
    command = ["cargo", "build", "-q", "-p", "board"]
    if os.environ.get("HAECHI_PROFILE") == "release":
        command.append("--release")
    subprocess.run(command, cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    return os.path.join(target, os.environ.get("HAECHI_PROFILE", "debug"), "board")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Board:
    """One board on one port and one folder of data, started as often as is asked for."""

    def __init__(self, program, data, **environment):
        self.program, self.data, self.port, self.process = program, data, free_port(), None
        config = os.path.join(tempfile.mkdtemp(prefix="board-"), "haechi.toml")
        with open(config, "w") as file:
            file.write("[limits]\nrequests_per_minute = 1000000\n")
        self.folder = os.path.dirname(config)
        self.log = os.path.join(self.folder, "log")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HAECHI_")}
        self.environment = {**clean, "HAECHI_BIND": f"127.0.0.1:{self.port}", "HAECHI_DATA": data,
                            "HAECHI_CONFIG": config, **environment}

    def start(self, within=60):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.program], cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        until = time.monotonic() + within
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if Visitor(self.port).get("/health").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"FAIL the board does not start:\n{self.lines()[-20:]}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def lines(self):
        with open(self.log, errors="replace") as log:
            return log.readlines()

    def failures(self):
        """What no answer may come from: a handler that failed or panicked, a status of 500."""
        bad = ("handler failed", "handler panicked", " 500 ")
        return [line.strip() for line in self.lines() if any(text in line for text in bad)]

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)


class Answer:
    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


class Visitor:
    """A browser: cookies, forms with their token, nothing followed by itself. A dead server is an OSError."""

    def __init__(self, port):
        self.port, self.cookies, self.name = port, {}, None

    def get(self, path):
        return self.send("GET", path)

    def submit(self, path, to=None, **fields):
        """Reads the page at `path` and sends its form, there or to another place; the page itself if it has no form."""
        page = self.get(path)
        token = re.search(r'name="csrf_token" value="([^"]*)"', page.body)
        if page.status != 200 or not token:
            return page
        return self.post(to or path, {**fields, "csrf_token": token[1]})

    def post(self, path, fields):
        origin = f"http://127.0.0.1:{self.port}"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin, "Sec-Fetch-Site": "same-origin"}
        return self.send("POST", path, urllib.parse.urlencode(fields), headers)

    def send(self, method, path, body=None, headers=()):
        headers = {"Accept": "text/html", "Connection": "close", **dict(headers)}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        for value in response.headers.get_all("set-cookie") or []:
            name, value = value.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return Answer(response.status, response.getheaders(), text, time.monotonic() - started)

    def sign_up(self, name):
        self.name = name
        return self.submit("/accounts/signup", username=name, email="", password=PASSWORD)

    def log_in(self, name):
        self.name = name
        return self.submit("/accounts/login", username=name, password=PASSWORD)

    def is_signed_in(self):
        """Asks for a page that only members see: true, false, or None if the server cannot tell now."""
        status = self.get("/posts/new").status
        return {200: True, 303: False, 401: False, 403: False}.get(status)


class Cluster:
    """A PostgreSQL server of our own on a free port of 127.0.0.1, run as the user postgres."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs or os.getuid() != 0:
            sys.exit("SKIP no PostgreSQL programs, or no right to run them as postgres")
        self.programs, self.port = programs[-1], free_port()
        self.folder = tempfile.mkdtemp(prefix="board-postgres-")
        shutil.chown(self.folder, "postgres")
        self.run("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
        self.control("start")

    def run(self, program, *arguments):
        command = ["runuser", "-u", "postgres", "--", os.path.join(self.programs, program),
                   "-D", os.path.join(self.folder, "data"), *arguments]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def control(self, action):
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories='' -c fsync=off"
        if action == "start":
            self.run("pg_ctl", "-w", "-o", options, "-l", os.path.join(self.folder, "log"), "start")
        else:
            self.run("pg_ctl", "-w", "-m", "immediate", "stop")

    def ask(self, text, database="postgres"):
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-Atc", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def url(self, database="postgres"):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def remove(self):
        try:
            self.control("stop")
        except subprocess.CalledProcessError:
            pass
        shutil.rmtree(self.folder)
