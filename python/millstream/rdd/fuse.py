"""Chains of user functions as one generated Python loop for a partition.

``flatMap(f).map(g).reduceByKey(h)`` does not run as three nested iterators but as the loop one would write by hand:

    for x in rows:
        for x1 in f0(x):
            key, value = f1(x1)
            old = get(key, MISSING)
            out[key] = value if old is MISSING else merge(old, value)

A loop is generated once for each shape (the kinds of its steps and its sink) and called with the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

#: The name under which generated code appears in tracebacks.
FILENAME = "<millstream fused loop>"

#: Steps in one loop. Python nests at most 20 blocks, and each ``flatMap`` is one.
LONGEST = 15


class Step(NamedTuple):
    """One narrow operation: its kind (a key of `STEPS`, or ``"partitions"``) and the user's function if it has one."""

    kind: str
    function: Callable[..., Any] | None = None


class _Loop:
    """The body of a loop while it is written. ``value`` is the expression of the current element."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 2
        self.value = "x"
        self._names = 0

    def emit(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def fresh(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def bound(self) -> str:
        """A name for the current element, so that it can be used twice."""
        if not self.value.isidentifier():
            name = self.fresh("x")
            self.emit(f"{name} = {self.value}")
            self.value = name
        return self.value

    def inner(self, iterable: str) -> str:
        name = self.fresh("x")
        self.emit(f"for {name} in {iterable}:")
        self.depth += 1
        return name

    def pair(self) -> tuple[str, str]:
        key, value = self.fresh("k"), self.fresh("v")
        self.emit(f"{key}, {value} = {self.value}")
        return key, value


def _map(loop: _Loop, f: str) -> None:
    loop.value = f"{f}({loop.value})"


def _filter(loop: _Loop, f: str) -> None:
    loop.emit(f"if not {f}({loop.bound()}): continue")


def _flat_map(loop: _Loop, f: str) -> None:
    loop.value = loop.inner(f"{f}({loop.value})")


def _map_values(loop: _Loop, f: str) -> None:
    key, value = loop.pair()
    loop.value = f"({key}, {f}({value}))"


def _flat_map_values(loop: _Loop, f: str) -> None:
    key, value = loop.pair()
    loop.value = f"({key}, {loop.inner(f'{f}({value})')})"


def _key_by(loop: _Loop, f: str) -> None:
    element = loop.bound()
    loop.value = f"({f}({element}), {element})"


def _keys(loop: _Loop, _: str) -> None:
    loop.value = f"{loop.value}[0]"


def _values(loop: _Loop, _: str) -> None:
    loop.value = f"{loop.value}[1]"


def _as_key(loop: _Loop, _: str) -> None:
    loop.value = f"({loop.value}, None)"


def _as_value(loop: _Loop, _: str) -> None:
    loop.value = f"(None, {loop.value})"


STEPS: dict[str, Callable[[_Loop, str], None]] = {
    "map": _map,
    "filter": _filter,
    "flatMap": _flat_map,
    "mapValues": _map_values,
    "flatMapValues": _flat_map_values,
    "keyBy": _key_by,
    "keys": _keys,
    "values": _values,
    "asKey": _as_key,
    "asValue": _as_value,
}


class _Sink(NamedTuple):
    """What becomes of the elements: lines before the loop, for each element ``{x}``, and after the loop."""

    parameters: tuple[str, ...]
    before: tuple[str, ...]
    each: tuple[str, ...]
    after: str


_DICT = ("out = {}", "get = out.get")

SINKS = {
    "rows": _Sink((), (), ("yield {x}",), "return"),
    "list": _Sink((), ("out = []", "append = out.append"), ("append({x})",), "return out"),
    "count": _Sink((), ("out = 0",), ("{x}", "out += 1"), "return out"),
    "each": _Sink(("act",), (), ("act({x})",), "return"),
    "tally": _Sink((), _DICT, ("key = {x}", "out[key] = get(key, 0) + 1"), "return out"),
    "reduce": _Sink(
        ("merge",),
        ("out = MISSING",),
        ("value = {x}", "out = value if out is MISSING else merge(out, value)"),
        "return () if out is MISSING else (out,)",
    ),
    "reduceByKey": _Sink(
        ("merge",),
        _DICT,
        (
            "key, value = {x}",
            "old = get(key, MISSING)",
            "out[key] = value if old is MISSING else merge(old, value)",
        ),
        "return out",
    ),
    "combineByKey": _Sink(
        ("create", "merge"),
        _DICT,
        (
            "key, value = {x}",
            "old = get(key, MISSING)",
            "out[key] = create(value) if old is MISSING else merge(old, value)",
        ),
        "return out",
    ),
    "groupByKey": _Sink(
        (),
        _DICT,
        (
            "key, value = {x}",
            "group = get(key)",
            "if group is None: out[key] = [value]",
            "else: group.append(value)",
        ),
        "return out",
    ),
}

_loops: dict[tuple[tuple[str, ...], str], Callable[..., Any]] = {}


def source(kinds: Sequence[str], sink: str) -> str:
    """The text of the loop for steps of these kinds into this sink."""
    loop = _Loop()
    for number, kind in enumerate(kinds):
        STEPS[kind](loop, f"f{number}")
    parameters, before, each, after = SINKS[sink]
    for line in each:
        loop.emit(line.format(x=loop.value))
    names = [f"f{number}" for number in range(len(kinds))]
    head = [f"def loop({', '.join(['rows', *names, *parameters])}):"]
    return "\n".join(
        [*head, *("    " + line for line in before), "    for x in rows:", *loop.lines, "    " + after, ""]
    )


def _loop(kinds: tuple[str, ...], sink: str) -> Callable[..., Any]:
    made = _loops.get((kinds, sink))
    if made is None:
        scope: dict[str, Any] = {"MISSING": object()}
        exec(compile(source(kinds, sink), FILENAME, "exec"), scope)
        made = _loops[kinds, sink] = scope["loop"]
    return made


def run(steps: Sequence[Step], rows: Iterable[Any], index: int, sink: str, *functions: Callable[..., Any]) -> Any:
    """Runs ``rows`` of partition ``index`` through ``steps`` into ``sink`` with the sink's own ``functions``.

    The sink ``"rows"`` is lazy (an iterable); all others read everything and return their result. ``"apply"`` gives an
    iterator over the rows to its function.
    """
    segment: list[Step] = []
    for step in steps:
        if step.function is not None and step.kind == "partitions":
            rows = step.function(index, iter(_lazily(segment, rows)))
            segment = []
            continue
        if len(segment) == LONGEST:
            rows = _lazily(segment, rows)
            segment = []
        segment.append(step)
    if sink == "rows":
        return _lazily(segment, rows)
    if sink == "apply":
        return functions[0](iter(_lazily(segment, rows)))
    if sink == "list" and not segment:
        return list(rows)
    return _loop(tuple(step.kind for step in segment), sink)(rows, *(step.function for step in segment), *functions)


def _lazily(segment: Sequence[Step], rows: Iterable[Any]) -> Iterable[Any]:
    if not segment:
        return rows
    generated: Iterable[Any] = _loop(tuple(step.kind for step in segment), "rows")(
        rows, *(step.function for step in segment)
    )
    return generated
