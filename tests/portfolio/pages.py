"""Reads a page the way its tests ask: rows by key, exact numbers, words."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

KEYS = ("data-order-id", "data-currency", "data-instrument", "data-signal")


@dataclass
class Row:
    """One row of a table or a named list: the exact values behind its numbers, its state, and its words."""

    key: str
    values: list[str] = field(default_factory=list)
    status: str = ""


class Page(HTMLParser):
    """Collects the tables by id and everything that the policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tables: dict[str, list[Row]] = {}
        self.figures: list[str] = []
        self.inline: list[str] = []
        self.external: list[str] = []
        self.title = ""
        self.next: str | None = None
        self._table = self._tag = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._tag = tag
        self._look_for_forbidden(tag, given)
        if tag == "table" or given.get("role") == "table" or (tag in {"ul", "dl"} and "id" in given):
            self._table = given.get("id", "")
            self.tables[self._table] = []
        if (tag in {"tr", "li"} or given.get("role") == "row") and (
            key := next((given[name] for name in KEYS if given.get(name)), "")
        ):
            self.tables[self._table].append(Row(key))
        if given.get("rel") == "next":
            self.next = given["href"]
        if tag == "data":
            self._number(given["value"])
        if "data-status" in given and self.tables.get(self._table):
            self.tables[self._table][-1].status = given["data-status"]

    def handle_endtag(self, tag: str) -> None:
        self._table = "" if tag in {"table", "ul", "dl", "section"} else self._table

    def handle_data(self, data: str) -> None:
        if self._tag == "title":
            self.title += data.strip()

    def _number(self, value: str) -> None:
        if self.tables.get(self._table):
            self.tables[self._table][-1].values.append(value)
        else:
            self.figures.append(value)

    def _look_for_forbidden(self, tag: str, given: dict[str, str]) -> None:
        is_program = tag == "script" and given.get("type") != "application/json"
        if tag in {"style", "iframe"} or (is_program and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.external += [url for name in ("src", "href", "action") if "//" in (url := given.get(name, ""))]
