#!/usr/bin/env python3
"""Copies Jinja2 templates without the tags of its i18n extension, which minijinja lacks: FROM_FOLDER TO_FOLDER."""
import pathlib
import re
import sys

source, target = map(pathlib.Path, sys.argv[1:3])
for path in sorted(source.rglob("*.html")):
    text = re.sub(r"{%([-+]?)\s*(?:trans|endtrans|pluralize)\b.*?([-+]?)%}", "", path.read_text(), flags=re.S)
    out = target / path.relative_to(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
