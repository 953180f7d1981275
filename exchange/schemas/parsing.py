"""Read one field of a row as the exchange sends it: numbers may be text, text numbers, anything missing.

Whatever cannot be what it should be is a ValueError that names the field and never quotes the row.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

TYPE_NAMES = {dict: "an object", list: "a list", bool: "a boolean", float: "a float"}
MAX_EXPONENT = (
    60  # beyond any amount of money; a larger one is garbage and would fill the memory when printed
)

MAX_TIMESTAMP_MS = 10**13

Row = Mapping[str, Any]


def text(row: Row, name: str) -> str:
    """The field as text; "" when absent or null. Ids beyond 2^53 arrive as JSON integers and stay exact."""
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong_type(name, value)
    return str(value)


def required_text(row: Row, name: str) -> str:
    value = text(row, name)
    if not value:
        raise ValueError(f"field {name} is missing")
    return value


def number(row: Row, name: str) -> Decimal | None:
    """The field as an exact number; None when absent, null or empty text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    return exact_decimal(name, value)


def required_number(row: Row, name: str) -> Decimal:
    value = number(row, name)
    if value is None:
        raise ValueError(f"field {name} is missing")
    return value


def price(row: Row, name: str) -> Decimal | None:
    """A price, where the exchange writes 0 for "none" (dossier 5.16)."""
    return number(row, name) or None


def integer(row: Row, name: str) -> int | None:
    value = number(row, name)
    if value is None:
        return None
    if value != value.to_integral_value():
        raise ValueError(f"field {name} is not a whole number")
    return int(value)


def required_integer(row: Row, name: str) -> int:
    value = integer(row, name)
    if value is None:
        raise ValueError(f"field {name} is missing")
    return value


def milliseconds(row: Row, name: str) -> int | None:
    """A moment in ms since the epoch; one beyond the year 2286 was sent in another unit and is refused."""
    value = integer(row, name)
    if value is not None and not 0 <= value < MAX_TIMESTAMP_MS:
        raise ValueError(f"field {name} is not a time in milliseconds")
    return value


def boolean(row: Row, name: str) -> bool | None:
    """A boolean, which older answers write as text (dossier 5.6)."""
    value = row.get(name)
    if value is None or isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).lower())


def rows(row: Row, name: str) -> list[Row]:
    """A list of objects; empty when absent or null."""
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong_type(name, value)
    return [as_row(name, item) for item in value]


def as_row(name: str, value: object) -> Row:
    if not isinstance(value, Mapping):
        raise _wrong_type(name, value)
    return value


def text_list(row: Row, name: str) -> tuple[str, ...]:
    """A list of words; a single word counts as a list of one (dossier 5.32)."""
    value = row.get(name)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(str(item) for item in value)
    return (text(row, name),) if value else ()


def exact_decimal(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _wrong_type(name, value)
    try:
        result = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"field {name} is not a number") from None
    if not result.is_finite() or abs(result.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"field {name} is not a usable number")
    return result


def _wrong_type(name: str, value: object) -> ValueError:
    return ValueError(f"field {name} is {TYPE_NAMES.get(type(value), 'of an unexpected kind')}")
