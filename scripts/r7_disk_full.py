#!/usr/bin/env python3
"""R7: the board on a disk of 20 MB that becomes full, on SQLite. Needs the right to mount a tmpfs.

Pass: what cannot be stored is 503 or 507 and never confirmed, what was confirmed stays, pages go on, and as soon as there
is space again the same process stores again; SQLite finds the file whole.

usage: r7_disk_full.py
"""

import os
import sqlite3
import subprocess
import sys
import tempfile

from board_process import Board, Visitor, build
from server_process import verdict

FULL = (503, 507)


class Disk:
    """A small file system with a file that takes room until it is removed."""

    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="board-r7-")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=0700", "tmpfs", self.place], check=False)
        if mounted.returncode:
            os.rmdir(self.place)
            sys.exit("SKIP no right to mount a small file system")
        self.ballast = os.path.join(self.place, "ballast")

    def fill(self):
        """Takes what is left, to the last page."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def free(self):
        os.remove(self.ballast)

    def remove(self):
        subprocess.run(["umount", self.place], check=True)
        os.rmdir(self.place)


def post_until_full(member, kept):
    """Posts until the disk is full, and returns the status that said so."""
    for number in range(2000):
        title = f"post {number} of {len(kept)}"
        answer = member.submit("/posts/new", title=title, body=title + "x" * 19000)
        if answer.status != 303:
            return answer.status
        kept[answer.header("location")] = title
    return 0


def kinds_of_writes(board, member, post):
    """Every kind of write, while the disk is full: what, status."""
    stranger, again = Visitor(board.port), Visitor(board.port)
    long = "y" * 19000
    return [
        ("post", member.submit("/posts/new", title="refused", body=long).status),
        ("edit", member.submit(f"{post}/edit", title="refused", body=long).status),
        ("comment", member.submit(post, to=f"{post}/comments", body="y" * 4900).status),
        ("profile", member.submit("/profile", website="", biography="y" * 4900).status),
        ("sign-up", stranger.sign_up("nobody").status),
        ("login", again.log_in("ada").status),
    ]


def reads_wrong(board, member, kept):
    stranger = Visitor(board.port)
    wrong = [f"{path}: {page.status}" for path, title in kept.items()
             for page in [stranger.get(path)] if page.status != 200 or f"<h1>{title}</h1>" not in page.body]
    wrong += [f"{path}: {page.status}" for path in ("/", "/search?title__contains=post", "/users/ada", "/health")
              for page in [stranger.get(path)] if page.status != 200]
    return wrong + ([] if member.is_signed_in() else ["the session"])


def main():
    program, disk = build(), Disk()
    board = Board(program, disk.place)
    kept, wrong, refused = {}, [], {}
    try:
        board.start()
        process, member = board.process.pid, Visitor(board.port)
        assert member.sign_up("ada").status == 303, "ada cannot sign up"
        for turn in range(3):
            assert member.submit("/posts/new", title="first", body="first").status == 303
            if turn == 0:
                disk.fill()
                os.truncate(disk.ballast, os.path.getsize(disk.ballast) - (3 << 20))
            else:
                disk.fill()
            status = post_until_full(member, kept)
            wrong += [] if status in FULL else [f"the disk was full and a post {status}"]
            disk.fill()
            first = next(iter(kept))
            for what, status in kinds_of_writes(board, member, first):
                refused.setdefault(what, []).append(status)
                # A small change may find room in a page that the file has already: then it is stored, which is shown below.
                if status not in (*FULL, 303):
                    wrong.append(f"turn {turn}, {what}: {status}")
            kept[first] = "refused" if refused["edit"][-1] == 303 else kept[first]
            wrong += reads_wrong(board, member, kept)
            disk.free()
            after = member.submit("/posts/new", title="there is room", body="z" * 19000)
            wrong += [] if after.status == 303 else [f"room again, and a post is {after.status}"]
            kept[after.header("location")] = "there is room"
            wrong += reads_wrong(board, member, kept)
        wrong += [] if board.process.pid == process and board.process.poll() is None else ["another process"]
        failures = board.failures()
        board.stop()
        database = sqlite3.connect(os.path.join(disk.place, "board.db"))
        integrity = database.execute("pragma integrity_check").fetchone()[0]
        database.close()
    finally:
        board.remove()
        disk.remove()
    figures = f"3 times full, {len(kept)} posts kept, statuses while full {refused}, integrity {integrity}, wrong {wrong[:5] or 0}, failures {failures[:3] or 0}"
    verdict("R7", figures, not wrong and not failures and integrity == "ok" and all(503 in s or 507 in s for s in refused.values()))


main()
