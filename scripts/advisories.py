#!/usr/bin/env python3
"""What RustSec's advisories say of the crates in Cargo.lock, as `crates/haechi-test/tests/tidy/advisories.txt` holds it.

    git clone https://github.com/rustsec/advisory-db
    python3 scripts/advisories.py advisory-db > crates/haechi-test/tests/tidy/advisories.txt

Crates without an advisory get a line as well: the test refuses a crate that nobody looked up. Needs Python 3.11.
"""

import datetime
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENDLESS = (10**9, 0, 0)


def numbers(text):
    """The three numbers of a version; what stands behind them is left out."""
    parts = [int(part) for part in re.split(r"[-+]", text)[0].split(".")]
    return tuple((parts + [0, 0])[:3])


def after(version):
    return version[0], version[1], version[2] + 1


def compatible_until(version):
    first, second, third = version
    return (first + 1, 0, 0) if first else (0, second + 1, 0) if second else (0, 0, third + 1)


def interval(requirement):
    """The versions of a requirement such as `>= 1.2, < 1.4`: the first, and the first that is not among them."""
    first, end = (0, 0, 0), ENDLESS
    for part in requirement.split(","):
        found = re.fullmatch(r"\s*(>=|<=|>|<|=|\^)?\s*([0-9][0-9A-Za-z.+-]*)\s*", part)
        if not found:
            sys.exit(f"what is {part!r} in {requirement!r}?")
        version = numbers(found[2])
        match found[1]:
            case ">=":
                first = max(first, version)
            case ">":
                first = max(first, after(version))
            case "<":
                end = min(end, version)
            case "<=":
                end = min(end, after(version))
            case "=":
                first, end = max(first, version), min(end, after(version))
            case _:
                first, end = max(first, version), min(end, compatible_until(version))
    return first, end


def affected(free):
    """What lies between the intervals that are free of a hole."""
    at = (0, 0, 0)
    for first, end in sorted(free):
        if first > at:
            yield at, first
        at = max(at, end)
    if at != ENDLESS:
        yield at, ENDLESS


def written(version):
    return "-" if version == ENDLESS else ".".join(map(str, version))


def head_of(file):
    return tomllib.loads(file.read_text().split("```toml")[1].split("```")[0])


def advisories(folder):
    for file in sorted(folder.glob("RUSTSEC-[12]*.md")):
        head = head_of(file)
        advisory, versions = head["advisory"], head.get("versions", {})
        if "withdrawn" in advisory:
            continue
        free = [interval(text) for text in versions.get("patched", []) + versions.get("unaffected", [])]
        for first, end in affected(free):
            kind = advisory.get("informational", "")
            yield f"  {file.stem} {written(first)} {written(end)} {kind}".rstrip()


def main():
    database = Path(sys.argv[1]) / "crates"
    if not database.is_dir():
        sys.exit(f"{database} is no folder: give the path of a clone of the advisory database")
    newest = max(head_of(file)["advisory"]["date"] for file in database.glob("*/RUSTSEC-[12]*.md"))
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    print(f"# What RustSec's advisories say of the crates in Cargo.lock, looked up on {datetime.date.today()} (the newest there: {newest}).")
    print("# A line a crate; below it each advisory, the first version that it is about, and the first that is free of it.")
    print("# scripts/advisories.py writes this file.")
    for name in sorted({package["name"] for package in lock["package"] if "source" in package}):
        print(name)
        for line in advisories(database / name):
            print(line)


main()
