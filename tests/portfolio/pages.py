"""Reads a page the way its tests ask: rows by key, exact numbers, words."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Row:
    """One row of a table: the exact values behind its numbers, its state, and its words."""

    key: str
    values: list[str] = field(default_factory=list)
    status: str = ""


class Page(HTMLParser):
    """Collects the tables by id and everything that the policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[Row]] = {}
        self.figures: list[str] = []
        self.inline: list[str] = []
        self.external: list[str] = []
        self.title = ""
        self._table = self._tag = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._tag = tag
        self._look_for_forbidden(tag, given)
        if tag == "table":
            self._table = given.get("id", "")
            self.tables[self._table] = []
        if tag == "tr" and (key := given.get("data-order-id") or given.get("data-currency")):
            self.tables[self._table].append(Row(key))
        if tag == "data":
            self._number(given["value"])
        if "data-status" in given:
            self.tables[self._table][-1].status = given["data-status"]

    def handle_endtag(self, tag: str) -> None:
        self._table = "" if tag == "table" else self._table

    def handle_data(self, data: str) -> None:
        if self._tag == "title":
            self.title += data.strip()

    def _number(self, value: str) -> None:
        if self._table:
            self.tables[self._table][-1].values.append(value)
        else:
            self.figures.append(value)

    def _look_for_forbidden(self, tag: str, given: dict[str, str]) -> None:
        if tag in {"style", "iframe"} or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.external += [url for name in ("src", "href", "action") if "//" in (url := given.get(name, ""))]
