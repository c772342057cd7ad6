#!/usr/bin/env python3
"""sqlmap over the board: every parameter of the search and the id of a post. Pass: it finds nothing to inject into.

usage: sqlmap.py PATH-OF-SQLMAP [PATH-OF-BOARD]   (from PyPI; loopback only, some 4,000 requests, under a minute)
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from server_process import ROOT

ADDRESS = "127.0.0.1:8947"
TARGETS = [
    f"http://{ADDRESS}/search?title__contains=a&body__contains=b&author_id=1&sort=id&page=1&per_page=20",
    f"http://{ADDRESS}/posts/1*",
    f"http://{ADDRESS}/users/ada*",
]


def main():
    sqlmap, folder = sys.argv[1], tempfile.mkdtemp(prefix="board-sqlmap-")
    with open(os.path.join(folder, "haechi.toml"), "w") as file:
        file.write("[limits]\nrequests_per_minute = 1000000\n")
    if len(sys.argv) > 2:
        board = os.path.abspath(sys.argv[2])
    else:
        subprocess.run(["cargo", "build", "-q", "-p", "board"], cwd=ROOT, check=True)
        board = os.path.join(ROOT, "target", "debug", "board")
    environment = {**os.environ, "HAECHI_BIND": ADDRESS, "HAECHI_LOG": "info"}
    subprocess.run([board, "demo"], cwd=folder, env=environment, check=True, capture_output=True)
    with open(os.path.join(folder, "log"), "w") as log:
        server = subprocess.Popen([board], cwd=folder, env=environment, stdout=log, stderr=log)
    time.sleep(2)
    found, requests = [], 0
    try:
        for target in TARGETS:
            command = [sqlmap, "-u", target, "--batch", "--level", "2", "--risk", "1", "--flush-session",
                       "--ignore-code", "*", "--output-dir", os.path.join(folder, "out"), "--disable-coloring"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if "is vulnerable" in done.stdout or "identified the following injection" in done.stdout:
                found.append(target)
            print("\n".join(line for line in done.stdout.splitlines() if "CRITICAL" in line or "vulnerable" in line))
    finally:
        server.terminate()
        server.wait(30)
    with open(os.path.join(folder, "log")) as log:
        lines = log.readlines()
    requests = sum("haechi::request" in line or " GET " in line for line in lines)
    bad = [line for line in lines if "handler failed" in line or "refused a statement" in line or " 500 " in line]
    shutil.rmtree(folder)
    passed = not found and not bad and requests > 100
    print(f"{'PASS' if passed else 'FAIL'} sqlmap: {requests} requests, injectable {found}, failures {bad[:3]}")
    sys.exit(0 if passed else 1)


main()
