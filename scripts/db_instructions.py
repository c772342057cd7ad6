"""Instructions for one query through haechi-db, and through the drivers by hand, under callgrind.

Each way runs at N and at 2N queries; the difference divided by N is what one query costs, without start-up. All
threads of the client count, the server of PostgreSQL does not. Needs valgrind, and for PostgreSQL a server at
HAECHI_TEST_POSTGRES. With --sqlx also builds and counts crates/haechi-db/benches/sqlx. Pass: each ratio to the
drivers by hand is at most 1.25.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from server_process import verdict

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SQLX = os.path.join(TREE, "crates", "haechi-db", "benches", "sqlx")
TIMES = {"key": 4000, "list": 10}
GOAL = 1.25


def executable(command, name, folder):
    """Builds and returns the path of the program that cargo says it made."""
    built = subprocess.run(
        [*command, "--message-format=json"], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    made = [json.loads(line) for line in built.stdout.splitlines()]
    return [
        line["executable"] for line in made if line.get("executable") and line["target"]["name"] == name
    ][-1]


def count(program, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, *map(str, arguments)]
        run = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
        return int(re.search(r"Collected : (\d+)", run.stderr)[1])


def each(program, engine, case, *way):
    times = TIMES[case]
    return (count(program, engine, case, *way, 2 * times) - count(program, engine, case, *way, times)) / times


bench = executable(["cargo", "bench", "-q", "-p", "haechi-db", "--bench", "queries", "--no-run"], "queries", TREE)
sqlx = executable(["cargo", "build", "-q", "--release"], "haechi-db-sqlx", SQLX) if "--sqlx" in sys.argv else None
engines = [name for name in ("sqlite", "postgres") if name in sys.argv] or ["sqlite", "postgres"]
worst = 0
print("| engine | case | way | instructions | to bare | to site |\n|---|---|---|---:|---:|---:|")
for engine in engines:
    for case in TIMES:
        bare, site = each(bench, engine, case, "bare"), each(bench, engine, case, "site")
        ways = {"bare": bare, "site": site}
        for way in ("builder", "sql"):
            ways[way] = each(bench, engine, case, way)
            worst = max(worst, ways[way] / bare)
        if sqlx:
            ways["sqlx"] = each(sqlx, engine, case)
        for way, cost in ways.items():
            print(f"| {engine} | {case} | {way} | {cost:,.0f} | {cost / bare:.2f} | {cost / site:.2f} |", flush=True)
verdict("db instructions", f"worst ratio to the drivers by hand {worst:.2f}", worst <= GOAL)
