"""From an accepted answer to typed values: a result without what it promises is BadAnswer, never a KeyError."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from exchange.client.caller import Caller, Params
from exchange.client.errors import BadAnswer
from exchange.types import fields
from exchange.types.fields import Row

T = TypeVar("T")
log = logging.getLogger(__name__)


def given(**values: object) -> dict[str, object]:
    """Those parameters that have a value."""
    return {name: value for name, value in values.items() if value is not None}


class Reader(Caller):
    """Reads of the three shapes the exchange answers with: one object, a list, a list that may hold surprises."""

    def _one(self, method: str, params: Params, build: Callable[[Row], T]) -> T:
        """The whole `result` as one value."""
        return self._built(method, params, lambda result: build(fields.as_row("result", result)))

    def _one_or_none(self, method: str, params: Params, build: Callable[[Row], T]) -> T | None:
        """The same, where an empty `result` means that there is none (dossier 5.17)."""
        return self._built(
            method,
            params,
            lambda result: None if _is_empty(result) else build(fields.as_row("result", result)),
        )

    def _first(self, method: str, params: Params, build: Callable[[Row], T]) -> T:
        """The only row of `result.data`."""
        return self._built(method, params, lambda result: build(_first(_data(result))))

    def _rows(self, method: str, params: Params, build: Callable[[Row], T]) -> list[T]:
        """Every row of `result.data`. One unreadable row spoils all: a missing order is not a closed one."""
        return self._built(method, params, lambda result: [build(row) for row in _data(result)])

    def _readable(self, method: str, params: Params, build: Callable[[Row], T]) -> list[T]:
        """The readable rows of `result.data`: market data of one new kind must not hide all others."""
        return self._built(method, params, lambda result: _readable(method, _data(result), build))

    def _built(self, method: str, params: Params, build: Callable[[Any], T]) -> T:
        envelope = self._call(method, params)
        try:
            return build(envelope.result)
        except ValueError as exc:
            reason = str(exc)
        raise self._noted(BadAnswer(method=method, message=reason, request_id=envelope.request_id))


def _is_empty(result: object) -> bool:
    """An object or list without content; a `result` that is absent or null says nothing at all."""
    return isinstance(result, dict | list) and not result


def _first(rows: list[Row]) -> Row:
    if not rows:
        raise ValueError("field data is empty")
    return rows[0]


def _data(result: object) -> list[Row]:
    rows = fields.as_row("result", result)
    if rows.get("data") is None:
        raise ValueError("field data is missing")
    return fields.rows(rows, "data")


def _readable(method: str, rows: list[Row], build: Callable[[Row], T]) -> list[T]:
    values = list(_attempts(rows, build))
    if rows and not values:
        raise ValueError("no row is readable")
    if len(values) < len(rows):
        log.warning("%s: %d of %d rows left out as unreadable", method, len(rows) - len(values), len(rows))
    return values


def _attempts(rows: list[Row], build: Callable[[Row], T]) -> Iterator[T]:
    for row in rows:
        try:
            yield build(row)
        except ValueError as exc:
            log.debug("row left out: %s", exc)
