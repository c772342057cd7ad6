#!/usr/bin/env python3
"""R5: kill -9 of the board while visitors sign up, post and sign in, 50 times, on SQLite.

Pass: every account, post and session that a visitor saw confirmed is there when the board is started again, nothing
stands half in the tables, and SQLite finds the file whole.

usage: r5_kill.py [--rounds N] [--visitors N]
"""

import argparse
import os
import random
import shutil
import sqlite3
import tempfile
import threading
import time

from board_process import Board, Visitor, build
from server_process import verdict


class Confirmed:
    """What visitors were told is done."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accounts, self.posts, self.sessions = [], {}, []

    def count(self):
        return len(self.accounts) + len(self.posts) + len(self.sessions)


def write(board, confirmed, mark):
    """Signs up, posts and signs in again and again, until the board is gone."""
    number = 0
    try:
        while True:
            number += 1
            name = f"u{mark}x{number}"
            visitor = Visitor(board.port)
            if visitor.sign_up(name).status != 303:
                continue
            with confirmed.lock:
                confirmed.accounts.append(name)
                confirmed.sessions.append(visitor)
            for post in range(random.randrange(1, 6)):
                title = f"{name} wrote {post}"
                answer = visitor.submit("/posts/new", title=title, body=title * 20)
                if answer.status == 303:
                    with confirmed.lock:
                        confirmed.posts[answer.header("location")] = title
            again = Visitor(board.port)
            if again.log_in(name).status == 303:
                with confirmed.lock:
                    confirmed.sessions.append(again)
    except OSError:
        pass


def missing(board, accounts, posts, sessions):
    """What of the confirmed is not there."""
    stranger = Visitor(board.port)
    lost = [f"account {name}" for name in accounts if stranger.get(f"/users/{name}").status != 200]
    for path, title in posts.items():
        page = stranger.get(path)
        if page.status != 200 or f"<h1>{title}</h1>" not in page.body:
            lost.append(f"post {path}")
    lost += [f"session of {one.name}" for one in sessions if one.is_signed_in() is not True]
    return lost


def halves(path):
    """What SQLite and the tables themselves have to say."""
    database = sqlite3.connect(path)
    said = [line for (line,) in database.execute("pragma integrity_check") if line != "ok"]
    said += [str(row) for row in database.execute("pragma foreign_key_check")]
    database.close()
    return said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--visitors", type=int, default=4)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="board-r5-")
    board, confirmed, lost, idle = Board(build(), data), Confirmed(), [], 0
    try:
        for round in range(options.rounds):
            board.start()
            before = confirmed.count()
            threads = [threading.Thread(target=write, args=(board, confirmed, f"{round}y{n}")) for n in range(options.visitors)]
            for thread in threads:
                thread.start()
            until = time.monotonic() + 20
            while confirmed.count() == before and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.8))
            board.kill()
            for thread in threads:
                thread.join()
            idle += confirmed.count() == before
            if said := halves(os.path.join(data, "board.db")):
                lost.append(f"round {round}: {said}")
        board.start()
        lost += missing(board, confirmed.accounts, confirmed.posts, confirmed.sessions)
        failures = board.failures()
    finally:
        board.remove()
        shutil.rmtree(data)
    figures = (f"{options.rounds} kills, confirmed {len(confirmed.accounts)} accounts, {len(confirmed.posts)} posts, "
               f"{len(confirmed.sessions)} sessions; lost {lost[:5] or 0}; rounds without a write {idle}; failures {failures[:3] or 0}")
    verdict("R5", figures, not lost and not failures and idle == 0 and len(confirmed.posts) >= options.rounds)


main()
