#!/usr/bin/env python3
"""Turns Django templates into Jinja where only the language differs: FROM_FOLDER TO_FOLDER.

For measuring, not for porting: a tag that calls Python ({% url %}, {% trans %}) becomes a value of the same kind at
the same place, so that the structure of the page and the place of every value stay as they are.
"""
import pathlib
import re
import sys

ARGUMENT = re.compile(r"\|(\w+):(\"[^\"]*\"|'[^']*'|[\w.]+)")
INDEX = re.compile(r"\.(\d+)")


def expression(text):
    text = ARGUMENT.sub(r"|\1(\2)", text)
    text = text.replace("_(", "(")
    text = re.sub(r'\|(\w+):\(("[^"]*"|\'[^\']*\')\)', r"|\1(\2)", text)
    text = text.replace("forloop.counter0", "loop.index0").replace("forloop.counter", "loop.index")
    text = text.replace("forloop.", "loop.").replace("block.super", "super()")
    return INDEX.sub(r"[\1]", text)


def tag(match):
    inner = match.group(1).strip()
    name, _, rest = inner.partition(" ")
    target = re.search(r" as (\w+)$", rest)
    if name in {"load", "csrf_token", "get_current_language", "get_current_language_bidi", "get_static_prefix"}:
        return ""
    if name in {"url", "static", "translate", "trans", "cycle", "firstof", "now", "lorem", "querystring"}:
        call = {"trans": "translate"}.get(name, name) + "()"
        return "{%% set %s = %s %%}" % (target.group(1), call) if target else "{{ %s }}" % call
    if name in {"blocktranslate", "blocktrans"}:
        return "{% with " + expression(", ".join(re.findall(r"\w+=[^\s]+", rest))) + " %}"
    if name in {"endblocktranslate", "endblocktrans"}:
        return "{% endwith %}"
    if name == "plural":
        return ""
    if name in {"comment", "endcomment"}:
        return "{#" if name == "comment" else "#}"
    if name == "spaceless" or name == "endspaceless":
        return ""
    if name == "verbatim" or name == "endverbatim":
        return "{% raw %}" if name == "verbatim" else "{% endraw %}"
    if name == "empty":
        return "{% else %}"
    if name == "ifchanged":
        return "{% if changed %}"
    if name == "endifchanged":
        return "{% endif %}"
    if name == "include":
        return "{% include " + rest.split(" ")[0] + " %}"
    if name == "with":
        return "{% with " + expression(re.sub(r"\s+(?=\w+=)", ", ", rest)) + " %}"
    if name == "for":
        return "{% for " + expression(re.sub(r"\s+reversed$", "|reverse", rest)) + " %}"
    if name == "block" or name == "endblock":
        return "{%% %s %s %%}" % (name, rest.replace("-", "_"))
    if name in {"if", "elif", "else", "endif", "endfor", "endwith", "extends", "filter", "endfilter", "autoescape",
                "endautoescape"}:
        return "{%% %s %s %%}" % (name, expression(rest))
    return "{{ %s() }}" % re.sub(r"\W", "_", name)


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    for path in sorted(source.rglob("*.html")):
        text = path.read_text()
        text = re.sub(r"{%\s*comment.*?endcomment\s*%}", "", text, flags=re.S)
        text = re.sub(r"{%(.*?)%}", tag, text, flags=re.S)
        text = re.sub(r"{{(.*?)}}", lambda match: "{{" + expression(match.group(1)) + "}}", text)
        out = target / path.relative_to(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text)


if __name__ == "__main__":
    main()
