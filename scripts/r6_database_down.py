#!/usr/bin/env python3
"""R6: the board's PostgreSQL is stopped for ten seconds, and then hangs for ten seconds.

Pass: while it is gone, pages that need it are 503 with Retry-After in less than the time a connection is waited for (while
it hangs, after the deadline of a statement and a second), static files and the health page go on, nobody is taken for
signed in; the first page is there less than 2 s after the server is, in the same process, with sessions as before, and
the pool has not leaked.

usage: r6_database_down.py [--seconds N]
"""

import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import tempfile
import time

from board_process import Board, Cluster, Visitor, build
from server_process import verdict

ACQUIRE = 3.0
STATEMENT = 5.0
POOL = 8


class Outage:
    """What was answered while the server was gone."""

    def __init__(self):
        self.refused = self.signed_out = self.answered = 0
        self.slowest = 0.0
        self.wrong = []

    def page(self, what, answer):
        self.slowest = max(self.slowest, answer.seconds)
        if answer.status == 503 and answer.header("retry-after"):
            self.refused += 1
        else:
            self.wrong.append(f"{what}: {answer.status}, Retry-After {answer.header('retry-after')}")

    def still(self, what, answer):
        self.slowest = max(self.slowest, answer.seconds)
        if answer.status == 200:
            self.answered += 1
        else:
            self.wrong.append(f"{what}: {answer.status}")

    def member(self, answer, name):
        self.page("a member's page", answer)
        self.signed_out += answer.status != 200 and name not in answer.body

    def watch(self, board, member, seconds):
        """Asks for one of each kind at once, again and again."""
        until = time.monotonic() + seconds
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            while time.monotonic() < until:
                stranger, copy = Visitor(board.port), Visitor(board.port)
                copy.cookies = dict(member.cookies)
                asked = [
                    (self.page, ("/", pool.submit(stranger.get, "/"))),
                    (self.page, ("a post", pool.submit(stranger.get, "/posts/1"))),
                    (self.still, ("health", pool.submit(stranger.get, "/health"))),
                    (self.still, ("static", pool.submit(stranger.get, "/static/board.css"))),
                    (self.still, ("static with a session", pool.submit(copy.get, "/static/haechi.css"))),
                ]
                member_page = pool.submit(copy.get, "/posts/new")
                for judge, (what, answer) in asked:
                    judge(what, answer.result())
                self.member(member_page.result(), member.name)
                time.sleep(0.1)

    def figures(self):
        return f"{self.refused} x 503, {self.answered} static and health, slowest {self.slowest:.2f} s, wrong {self.wrong[:4] or 0}"


def first_success(board):
    """Seconds until the first page, without a second try by the visitor within 50 ms."""
    started = time.monotonic()
    while time.monotonic() - started < 30:
        if Visitor(board.port).get("/").status == 200:
            return time.monotonic() - started
        time.sleep(0.05)
    return 99.0


def whole(board, cluster, member, process):
    """What is wrong after the outage."""
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda _: Visitor(board.port).get("/").status, range(64)))
    wrong += [f"{statuses.count(200)} of 64 pages at once"] if statuses.count(200) != 64 else []
    wrong += ["another process"] if board.process.pid != process or board.process.poll() is not None else []
    wrong += ["the session is gone"] if member.is_signed_in() is not True else []
    post = member.submit("/posts/new", title="after", body="after")
    wrong += [f"a post is {post.status}"] if post.status != 303 else []
    held = int(cluster.ask("select count(*) from pg_stat_activity where application_name = 'haechi'"))
    stuck = int(cluster.ask("select count(*) from pg_stat_activity where application_name = 'haechi' and state <> 'idle'"))
    wrong += [f"{held} connections, {stuck} of them not idle"] if held > POOL or stuck else []
    return wrong, held


def signal_all(cluster, which):
    """Signals the postmaster and each of its processes."""
    with open(os.path.join(cluster.folder, "data", "postmaster.pid")) as file:
        postmaster = file.readline().strip()
    children = subprocess.run(["pgrep", "-P", postmaster], capture_output=True, text=True, check=False).stdout.split()
    for process in [postmaster, *children]:
        try:
            os.kill(int(process), which)
        except ProcessLookupError:
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    program, cluster, data = build(), Cluster(), tempfile.mkdtemp(prefix="board-r6-")
    board = Board(program, data, HAECHI_DATABASE_URL=cluster.url())
    try:
        board.start()
        process, member = board.process.pid, Visitor(board.port)
        assert member.sign_up("ada").status == 303, "ada cannot sign up"
        assert member.submit("/posts/new", title="before", body="before").status == 303
        down, hung = Outage(), Outage()
        cluster.control("stop")
        down.watch(board, member, options.seconds)
        cluster.control("start")
        after_down = first_success(board)
        wrong_down, held = whole(board, cluster, member, process)
        signal_all(cluster, signal.SIGSTOP)
        try:
            hung.watch(board, member, options.seconds)
        finally:
            signal_all(cluster, signal.SIGCONT)
        after_hung = first_success(board)
        time.sleep(1)
        wrong_hung, _ = whole(board, cluster, member, process)
        failures = board.failures()
    finally:
        board.remove()
        cluster.remove()
        shutil.rmtree(data)
    print(f"stopped {options.seconds:.0f} s: {down.figures()}; back after {after_down:.2f} s; {held} connections; wrong {wrong_down or 0}")
    print(f"hanging {options.seconds:.0f} s: {hung.figures()}; back after {after_hung:.2f} s; wrong {wrong_hung or 0}")
    calm = all(not one.wrong and one.refused > least and one.answered > least for one, least in ((down, 30), (hung, 2)))
    in_time = down.slowest < ACQUIRE and hung.slowest < STATEMENT + 1 + ACQUIRE
    passed = calm and in_time and max(after_down, after_hung) < 2 and not wrong_down and not wrong_hung
    verdict("R6", f"first page {after_down:.2f} s and {after_hung:.2f} s after the return, failures {failures[:3] or 0}", passed and not failures)


main()
