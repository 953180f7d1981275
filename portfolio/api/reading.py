"""The description of the API (OpenAPI 3) as rows for a page (pure)."""

from dataclasses import dataclass
from typing import Any

Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What something is, in words; `shape` names the shape it is made of, if any."""

    words: str
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    kind: Kind
    words: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    method: str
    path: str
    words: str
    who: str
    parameters: tuple[Field, ...]
    body: Kind | None
    answers: tuple[Answer, ...]

    @property
    def key(self) -> str:
        return f"{self.method}-{self.path}".lower().replace("/", "-")


class Page:
    """Everything that the page shows. Answers that `always` may come are not repeated at each operation."""

    def __init__(self, document: Part) -> None:
        self.title, self.words = document["info"]["title"], document["info"]["description"]
        self.version = document["info"]["version"]
        found = [
            _operation(path, method, one)
            for path, methods in document["paths"].items()
            for method, one in methods.items()
        ]
        self.always = [answer for answer in found[0].answers if all(answer in one.answers for one in found)]
        self.operations = [(one, [it for it in one.answers if it not in self.always]) for one in found]
        self.shapes = [(name, _fields(shape)) for name, shape in document["components"]["schemas"].items()]


def _operation(path: str, method: str, one: Part) -> Operation:
    body = one.get("requestBody", {}).get("content")
    return Operation(
        method=method.upper(),
        path=path,
        words=one.get("description", ""),
        who=", ".join(next(iter(way), "anybody, if the desk is public") for way in one.get("security", ())),
        parameters=tuple(_parameter(parameter) for parameter in one.get("parameters", ())),
        body=_content(body) if body else None,
        answers=tuple(_answer(status, answer) for status, answer in one["responses"].items()),
    )


def _parameter(one: Part) -> Field:
    name = one["name"] if one["in"] == "query" else f"{one['name']} ({one['in']})"
    return Field(name, kind_of(one["schema"]), bool(one.get("required")), one.get("description", ""))


def _answer(status: str, answer: Part) -> Answer:
    return Answer(status, _content(answer.get("content", {})), answer.get("description", ""))


def _content(content: Part) -> Kind:
    return kind_of(next(iter(content.values()))["schema"]) if content else Kind("nothing")


def _fields(shape: Part) -> list[Field]:
    required = shape.get("required", ())
    fields = shape.get("properties", {}).items()
    rows = [Field(name, kind_of(one), name in required, one.get("description", "")) for name, one in fields]
    return rows or [Field("", kind_of(shape), True, shape.get("description", ""))]


def kind_of(schema: Part) -> Kind:
    """In words: `list of Leg`, `decimal or null`, `BUY | SELL`."""
    found = _kind_of(schema)
    return Kind(f"{found.words} or null", found.shape) if schema.get("nullable") else found


def _kind_of(schema: Part) -> Kind:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Kind(name, name)
    if "enum" in schema:
        return Kind(" | ".join("null" if one is None else str(one) for one in schema["enum"]))
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            kinds = [kind_of(one) for one in schema[several]]
            return Kind(" or ".join(kind.words for kind in kinds), kinds[0].shape)
    if schema.get("type") == "array":
        inner = kind_of(schema["items"])
        return Kind(f"list of {inner.words}", inner.shape)
    return Kind(str(schema.get("format") or schema.get("type") or "anything"))
