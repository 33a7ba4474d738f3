"""Properties files: ``key value``, ``key=value`` or ``key: value`` a line, as ``spark-defaults.conf`` is written."""

from __future__ import annotations

import re

_PAIR = re.compile(r"([^\s=:]+)\s*[=:\s]\s*(.*)")


def read_properties(path: str) -> dict[str, str]:
    """The pairs of a file; a line beginning with ``#`` or ``!`` is a comment, one ending in ``\\`` goes on."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\\\r?\n\s*", "", file.read())
    pairs = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#!":
            continue
        match = _PAIR.fullmatch(line)
        key, value = match.groups() if match else (line, "")
        pairs[key] = value
    return pairs
