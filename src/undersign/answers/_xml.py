"""GoGrid's XML, read without DTD and entities, and no deeper or longer than its answers are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from ._reading import DEPTH, NotReadable, clean

_MOST_ELEMENTS = (
    100_000  # of a few bytes each: their number bounds the memory that they take, which the length does not
)
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    children: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def only(self, name: str) -> _Element:
        found = [child for child in self.children if child.name == name]
        if len(found) != 1:
            raise NotReadable(f"it has {len(found)} elements {name!r} where GoGrid's answer has one")
        return found[0]


def from_xml(text: str) -> tuple[str, str, dict[str, Any], list[dict[str, Any]]]:
    """Status, method, summary and objects of an answer. Raises NotReadable."""
    root = _tree(text)
    if root.name != "gogrid":
        raise NotReadable(f"it is not GoGrid's answer but begins with the element {clean(root.name)!r}")
    response = root.only("response")
    figures = response.only("summary").attributes
    summary = {name: int(value) if _NUMBER.fullmatch(value) else value for name, value in figures.items()}
    entries = [_object(element) for element in response.only("list").children]
    return response.attributes.get("status", ""), response.attributes.get("method", ""), summary, entries


def _tree(text: str) -> _Element:
    parser = expat.ParserCreate("utf-8")  # whatever the declaration says: the text was UTF-8
    parser.buffer_text = True
    top = _Element("", {})
    path, count = [top], 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(path) > DEPTH or count > _MOST_ELEMENTS:
            raise NotReadable(f"it has more than {_MOST_ELEMENTS} elements, or more than {DEPTH} within each other")
        element = _Element(name, attributes)
        path[-1].children.append(element)
        path.append(element)

    def end(name: str) -> None:
        path.pop()

    def data(piece: str) -> None:
        path[-1].text.append(piece)

    def doctype(*declaration: object) -> None:
        # Before any entity is declared, so that there is none to expand and none to fetch.
        raise NotReadable("it has a DTD, which GoGrid's answers do not have and which may do harm")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        why = expat.ErrorString(error.code)
        raise NotReadable(f"it is not XML, or breaks off: {why} in line {error.lineno}") from None
    return top.children[0]


def _object(element: _Element) -> dict[str, Any]:
    if element.name != "object":
        raise NotReadable(f"it has an element {clean(element.name)!r} where GoGrid's answer has an object")
    found: dict[str, Any] = {"object": element.attributes.get("name", "")}
    for attribute in element.children:
        name = attribute.attributes.get("name")
        if attribute.name != "attribute" or name is None or (name in found and name != "object"):
            raise NotReadable("an object has something else than attributes, or one of them without a name or twice")
        found[name] = _value(attribute)
    return found


def _value(attribute: _Element) -> Any:
    """Text, one object, or a list of objects."""
    children = attribute.children
    if not children:
        return "".join(attribute.text)
    if [child.name for child in children] == ["list"]:
        return [_object(child) for child in children[0].children]
    objects = [_object(child) for child in children]
    return objects if len(objects) > 1 else objects[0]
