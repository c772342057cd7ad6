#!/usr/bin/env python3
"""Analyses the templates of published packages and prints how many are refused, by code: [--verbose] [PACKAGE…].

Each package is fetched by its name into a folder that is removed at the end. What only differs in the language is
converted: Django's by `django_to_jinja`, of Jinja's the tags of the i18n extension go. Filters and tests that a package
adds are accepted by name.
"""
import collections
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import django_to_jinja

ROOT = pathlib.Path(__file__).resolve().parent.parent
# package, what its name for the table is, the folders inside, and the language
SETS = [
    ("Django", "Django admin, auth and other contrib", ["django/contrib/*/templates"], "django"),
    ("Flask-Admin", "Flask-Admin, bootstrap4", ["flask_admin/templates/bootstrap4"], "jinja"),
    ("Flask-AppBuilder", "Flask-AppBuilder", ["flask_appbuilder/templates"], "jinja"),
    ("mkdocs", "MkDocs, theme mkdocs", ["mkdocs/themes/mkdocs"], "jinja"),
    ("mkdocs", "MkDocs, theme readthedocs", ["mkdocs/themes/readthedocs"], "jinja"),
    ("mkdocs-material", "Material for MkDocs", ["material/templates"], "jinja"),
    ("Sphinx", "Sphinx, themes", ["sphinx/themes/*"], "jinja"),
    ("pelican", "Pelican, theme simple", ["pelican/themes/simple/templates"], "jinja"),
    ("pelican", "Pelican, theme notmyidea", ["pelican/themes/simple/templates", "pelican/themes/notmyidea/templates"], "jinja"),
    ("nbconvert", "nbconvert", ["*.data/data/share/jupyter/nbconvert/templates"], "jinja"),
]
# What another engine would read, or what is not there: nothing that a rule of the escaper refused.
LANGUAGE = {"syntax", "unknown-filter", "unknown-test", "not-found", "not-utf8", "name"}
ENDINGS = {".html", ".htm", ".j2", ".jinja2", ".jinja", ".xml"}
EXTENSION_TAG = re.compile(r"{%([-+]?)\s*(?:trans|endtrans|pluralize)\b.*?([-+]?)%}", re.S)
PROBLEM = re.compile(r"^(\S.*?)(?::(\d+):(\d+))?: \[([\w-]+)\] (.*)$")


def fetch(package, folder):
    """Unpacks a package and returns its folder and version."""
    ran = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check",
                          "-d", folder / "packages" / package, package], capture_output=True, text=True)
    archives = list((folder / "packages" / package).glob("*"))
    if not archives:
        sys.exit(f"{package} could not be fetched: {ran.stderr.strip()}")
    target = folder / "unpacked" / package
    if archives[0].suffix == ".whl":
        zipfile.ZipFile(archives[0]).extractall(target)
    else:
        tarfile.open(archives[0]).extractall(target, filter="data")
    return target, archives[0].name.split("-")[1]


def convert(source, folders, language, target):
    count = 0
    for pattern in folders:
        for folder in sorted(source.glob(pattern)) or sorted(source.glob("*/" + pattern)):
            for path in sorted(folder.rglob("*")):
                out = target / path.relative_to(folder)
                # Of two folders with the same file the first counts, as in a list of folders.
                if path.suffix not in ENDINGS or not path.is_file() or out.exists() and "*" not in pattern:
                    continue
                if out.exists():
                    out = target / folder.name / path.relative_to(folder)
                text = path.read_text()
                text = django_to_jinja.convert(text) if language == "django" else EXTENSION_TAG.sub("", text)
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(text)
                count += 1
    return count


def analyse(folder):
    """Returns the problems as (template, line, code, message); filters and tests of the package are accepted."""
    names = []
    while True:
        ran = subprocess.run(["cargo", "run", "-q", "-p", "haechi-template", "--example", "analyse", "--", folder, *names],
                             cwd=ROOT, capture_output=True, text=True)
        problems = []
        for line in ran.stdout.splitlines():
            found = PROBLEM.match(line)
            if found and not line.startswith(" "):
                problems.append((found[1], found[2] or "", found[4], found[5]))
        if "pages, none refused" not in ran.stdout and not problems:
            sys.exit(ran.stdout + ran.stderr)
        new = {("is:" if code == "unknown-test" else "") + re.search(r"called `(.*?)`", message)[1]
               for _, _, code, message in problems if code in ("unknown-filter", "unknown-test")} - set(names)
        if not new:
            return problems
        names += sorted(new)


def report(name, version, count, problems, verbose):
    codes = collections.defaultdict(set)
    for template, _, code, _ in problems:
        codes[template].add(code)
    refused = {template for template, found in codes.items() if found - LANGUAGE}
    language = set(codes) - refused
    share = f"{100 * len(refused) / count:.0f} %" if count else "-"
    by_code = collections.Counter(code for _, _, code, _ in problems if code not in LANGUAGE)
    print(f"| {name} {version} | {count} | {count - len(codes)} | {len(refused)} ({share}) | {len(language)} | "
          + ", ".join(f"{number} × `{code}`" for code, number in by_code.most_common()) + " |")
    if verbose:
        for template, line, code, message in problems:
            print(f"    {template}:{line} [{code}] {message}")


def main():
    verbose = "--verbose" in sys.argv
    wanted = {package.lower() for package in sys.argv[1:] if package != "--verbose"}
    print("| set | files | loaded | refused | language | codes |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="template-sets-") as temporary:
        folder, unpacked = pathlib.Path(temporary), {}
        for index, (package, name, folders, language) in enumerate(SETS):
            if wanted and package.lower() not in wanted:
                continue
            if package not in unpacked:
                unpacked[package] = fetch(package, folder)
            source, version = unpacked[package]
            target = folder / "converted" / str(index)
            count = convert(source, folders, language, target)
            report(name, version, count, analyse(target), verbose)


if __name__ == "__main__":
    main()
