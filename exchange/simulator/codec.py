"""Records to and from plain JSON types: decimals as text, everything else as it is."""

from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar, get_args, get_type_hints

from exchange.simulator.records import Row

T = TypeVar("T")
_NAMES: dict[type[Any], tuple[str, ...]] = {}
_DECIMALS: dict[type[Any], frozenset[str]] = {}


def encode(record: Any) -> Row:
    return {name: _plain(getattr(record, name)) for name in _names(type(record))}


def decode(kind: type[T], row: Row) -> T:
    """A record of this dataclass; fields the row lacks keep their defaults."""
    decimals = _decimal_names(kind)
    return kind(**{name: _exact(value) if name in decimals else value for name, value in row.items()})


def amounts(values: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def exact(values: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _exact(value: Any) -> Any:
    return None if value is None else Decimal(value)


def _names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(each.name for each in fields(kind))
    return _NAMES[kind]


def _decimal_names(kind: type[Any]) -> frozenset[str]:
    if kind not in _DECIMALS:
        hints = get_type_hints(kind).items()
        _DECIMALS[kind] = frozenset(
            name for name, hint in hints if hint is Decimal or Decimal in get_args(hint)
        )
    return _DECIMALS[kind]
