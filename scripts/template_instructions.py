#!/usr/bin/env python3
"""Counts the instructions of a render, by valgrind: haechi against minijinja and askama, on both pages of the bench.

A count does not depend on what else the machine does. Fails if contextual escaping costs 5 % of the plain page or
1.3 times the page of five contexts.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMITS = {"plain": 1.05, "five": 1.3}


def bench():
    built = subprocess.run(["cargo", "bench", "-p", "haechi-template", "--bench", "pages", "--no-run"],
                           cwd=ROOT, capture_output=True, text=True)
    found = re.search(r"\((.*pages-[0-9a-f]+)\)", built.stderr)
    if not found:
        sys.exit(built.stderr)
    return ROOT / found.group(1)


def count(program, engine, page, calls):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, engine, page, str(calls)]
    ran = subprocess.run(command, capture_output=True, text=True)
    return int(re.search(r"Collected : (\d+)", ran.stderr).group(1))


def main():
    program, failed = bench(), False
    for page, limit in LIMITS.items():
        # The difference of two runs: what loading costs is in both.
        cost = {engine: (count(program, engine, page, 150) - count(program, engine, page, 50)) / 100
                for engine in ("haechi", "minijinja", "askama")}
        ratio = cost["haechi"] / cost["minijinja"]
        failed |= ratio >= limit
        print(f"{page}: " + ", ".join(f"{engine} {value:.0f}" for engine, value in cost.items())
              + f" instructions; x{ratio:.3f} of minijinja (limit x{limit}), x{cost['haechi'] / cost['askama']:.1f} of askama")
    return failed


if __name__ == "__main__":
    sys.exit(main())
