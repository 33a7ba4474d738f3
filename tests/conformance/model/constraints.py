"""The constraints of the service model, as requests that violate them and AWS's words for it."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from botocore.loaders import Loader

NULL = "Value null at '{path}' failed to satisfy constraint: Member must not be null"
WRONG = {
    "string": 7,
    "integer": "7",
    "boolean": "yes",
    "timestamp": "now",
    "list": 7,
    "map": 7,
    "structure": 7,
    "blob": 7,
}
TYPED = re.compile(r"can not be converted to|^Expected (list or |map or )?null$")


@dataclass
class Case:
    """A request with one fault and the sentences about it, in any order."""

    what: str
    request: dict[str, Any]
    expected: list[str] = field(default_factory=list)
    exception: str = "ValidationException"

    def fits(self, message: str) -> bool:
        if self.exception == "SerializationException":
            return TYPED.search(message) is not None
        plural = "" if len(self.expected) == 1 else "s"
        head, _, found = message.partition(f" validation error{plural} detected: ")
        return head == str(len(self.expected)) and sorted(map(canonical, self.expected)) == sorted(
            map(canonical, found.split("; "))
        )


def canonical(sentence: str) -> str:
    """A sentence without what the model does not say: the order of a set, and how Java prints a list, map or blob."""
    sentence = re.sub(r"enum value set: \[(.*?)\]", lambda found: f"{sorted(found[1].split(', '))}", sentence)
    return re.sub(r"^Value '[\[{].*?' at |^Value 'java\.nio\..*?' at ", "Value at ", sentence, flags=re.DOTALL)


class Shapes:
    def __init__(self) -> None:
        self.model = Loader().load_service_model("kinesis", "service-2")

    def operations(self) -> list[str]:
        return sorted(self.model["operations"])

    def input(self, operation: str) -> dict[str, Any]:
        return self.shape(self.model["operations"][operation]["input"]["shape"])

    def errors(self, operation: str) -> set[str]:
        return {error["shape"] for error in self.model["operations"][operation]["errors"]}

    def shape(self, name: str) -> dict[str, Any]:
        shape: dict[str, Any] = self.model["shapes"][name]
        return shape


def cases_of(shapes: Shapes, operation: str, base: dict[str, Any]) -> Iterator[Case]:
    """Every case of an operation, made from a request without fault."""
    for path, place, shape, required in members(shapes, shapes.input(operation), [], "", base):
        dotted = ".".join(map(str, place))
        if required:
            yield Case(f"no {dotted}", without(base, place), [NULL.format(path=path)])
        yield Case(
            f"{dotted} of a wrong type",
            put(base, place, WRONG.get(shape["type"], 7)),
            exception="SerializationException",
        )
        for value in bad_values(shapes, shape):
            yield Case(f"{dotted}={str(value)[:60]}", put(base, place, value), sentences(shapes, shape, path, value))


def members(
    shapes: Shapes, structure: dict[str, Any], place: list[Any], path: str, base: dict[str, Any]
) -> Iterator[tuple[str, list[Any], dict[str, Any], bool]]:
    """Each member with its path in messages, its place in requests, its shape and whether it is required."""
    for name, member in structure["members"].items():
        shape = shapes.shape(member["shape"])
        own_place, own_path = [*place, name], f"{path}{name[0].lower()}{name[1:]}"
        yield own_path, own_place, shape, name in structure.get("required", [])
        if shape["type"] == "structure":
            yield from members(shapes, shape, own_place, f"{own_path}.", base)
        if shape["type"] == "list":
            element = shapes.shape(shape["member"]["shape"])
            if element["type"] == "structure":
                yield from members(shapes, element, [*own_place, 0], f"{own_path}.1.member.", base)


def bad_values(shapes: Shapes, shape: dict[str, Any]) -> Iterator[Any]:
    """Values that violate one constraint each, or as few as can be."""
    least, most = shape.get("min"), shape.get("max")
    match shape["type"]:
        case "integer":
            if least is not None:
                yield least - 1
            if most is not None:
                yield most + 1
        case "blob":
            yield base64.b64encode(bytes(most + 1)).decode()
        case "string":
            if "enum" in shape:
                yield "NONE OF THESE"
                return
            if least:
                yield ""
            if "pattern" in shape:
                yield "not / valid"
            if most is not None and most < 1 << 16:
                yield "a" * (most + 1)
        case "list":
            element = shapes.shape(shape["member"]["shape"])
            if least:
                yield []
            if element["type"] == "string":
                yield from ([value] for value in bad_values(shapes, element))
                good = element["enum"][0] if "enum" in element else "a"
            else:
                good = {"Data": "", "PartitionKey": "k"}
            if most is not None and most < 1000:
                yield [good] * (most + 1)
        case "map":
            if least:
                yield {}
            yield {f"key {number}": "" for number in range(most + 1)}
            yield {"k" * (shapes.shape(shape["key"]["shape"])["max"] + 1): ""}
            yield {"key": "v" * (shapes.shape(shape["value"]["shape"])["max"] + 1)}


def sentences(shapes: Shapes, shape: dict[str, Any], path: str, value: Any) -> list[str]:
    """What AWS says about a value."""
    constraints = broken(shape, value)
    if shape["type"] == "list" and value and isinstance(value[0], str):
        element = shapes.shape(shape["member"]["shape"])
        if broken(element, value[0]):
            constraints.append(f"Member must satisfy constraint: [{', '.join(all_of(element))}]")
    if shape["type"] == "map" and value:
        key, kept = next(iter(value.items()))
        if broken(shapes.shape(shape["key"]["shape"]), key):
            constraints.append(
                f"Map keys must satisfy constraint: [{', '.join(all_of(shapes.shape(shape['key']['shape'])))}]"
            )
        if broken(shapes.shape(shape["value"]["shape"]), kept):
            constraints.append(
                f"Map value must satisfy constraint: [{', '.join(all_of(shapes.shape(shape['value']['shape'])))}]"
            )
    shown = f"[{value}" if isinstance(value, (list, dict)) or shape["type"] == "blob" else value
    return [f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}" for constraint in constraints]


def broken(shape: dict[str, Any], value: Any) -> list[str]:
    found = []
    length = (
        len(base64.b64decode(value)) if shape["type"] == "blob" else value if isinstance(value, int) else len(value)
    )
    of = "value" if shape["type"] == "integer" else "length"
    if "pattern" in shape and not re.fullmatch(shape["pattern"], value):
        found.append(f"Member must satisfy regular expression pattern: {pattern(shape)}")
    if "min" in shape and length < shape["min"]:
        found.append(f"Member must have {of} greater than or equal to {shape['min']}")
    if "max" in shape and length > shape["max"]:
        found.append(f"Member must have {of} less than or equal to {shape['max']}")
    if "enum" in shape and value not in shape["enum"]:
        found.append(f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]")
    return found


def all_of(shape: dict[str, Any]) -> list[str]:
    """All constraints of an element, which AWS lists whichever is broken."""
    if "enum" in shape:
        return [f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"]
    return [
        f"Member must have length less than or equal to {shape['max']}",
        f"Member must have length greater than or equal to {shape['min']}",
    ]


def pattern(shape: dict[str, Any]) -> str:
    """The service says a pattern without the anchors around all of it (seen in its answers)."""
    text: str = shape["pattern"]
    return text[2:-2] if text.startswith("^(") and text.endswith(")$") else text


def put(request: dict[str, Any], place: list[Any], value: Any) -> dict[str, Any]:
    """The request with a value at a place; a structure on the way that is not there gets what it requires."""
    request = copy.deepcopy(request)
    at: Any = request
    for step, following in pairwise(place):
        if isinstance(at, dict) and step not in at:
            at[step] = [] if isinstance(following, int) else dict(NEEDS.get(step, {}))
        at = at[step]
    at[place[-1]] = value
    return request


# What else a structure that the request without fault lacks has to have.
NEEDS: dict[Any, dict[str, Any]] = {
    "ShardFilter": {"Type": "AT_LATEST"},
    "StreamModeDetails": {"StreamMode": "PROVISIONED"},
}


def without(request: dict[str, Any], place: list[Any]) -> dict[str, Any]:
    """The request without a member, in a structure that is there."""
    request = put(request, place, None)
    at: Any = request
    for step in place[:-1]:
        at = at[step]
    del at[place[-1]]
    return request
