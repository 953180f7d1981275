"""Read rows as the exchange sends them: numbers may be text, ids may be numbers, anything may be missing.

What cannot be read is a ValueError that names the field and never quotes the row. The names and types of the
fields are those of `WireStruct` classes; the guards that msgspec does not give are all here.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from msgspec.structs import force_setattr

from exchange.core.reasons import Problem, Sentence, problem

# No coin has more pieces than 10**18, and none is traded in steps below 10**-18: what is larger or finer is garbage.
# Two such numbers multiplied, and rounded to cents, still fit into the digits that decimals are computed with.
MAX_DIGITS = 18  # before the point
MAX_DECIMALS = 40  # after it: the exchange computes averages with more places than its grids have
MAX_PRICE_DIGITS = 12
MAX_BITS = 63  # of whole numbers: times in nanoseconds are the largest, and no column holds more
MAX_INTEGER_DIGITS = 19
MIN_TIMESTAMP_MS = 1_420_070_400_000  # 2015: the exchange is younger
MAX_TIMESTAMP_MS = 10**13  # in the year 2286
TIME_FIELDS = ("create_time_ms", "update_time_ms", "time_ms")
WRONG_TYPES = {dict: Problem.OBJECT, list: Problem.LIST, bool: Problem.BOOLEAN, float: Problem.FLOAT}

# Decimals, or absent ones, that are certainly usable: looked at together, for there are thousands of rows.
PLAIN_DECIMALS = re.compile(r"(?:(?:-?[0-9]{1,18}(?:\.[0-9]{1,40})?|None)(?: |$))*")

Row = Mapping[str, Any]
T = TypeVar("T")


class MissingField(ValueError):
    """A row lacks a field that identifies it or says what it is."""


class RowList(list[T]):
    """The readable rows of an answer that had `received` rows."""

    received: int = 0

    @classmethod
    def of(cls, values: Iterable[T], *, received: int) -> Self:
        row_list = cls(values)
        row_list.received = received
        return row_list


def received_count(rows: Sequence[object]) -> int:
    """How many rows the answer had, readable or not."""
    return rows.received if isinstance(rows, RowList) else len(rows)


class WireStruct(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A value read from a row: unknown fields are ignored, null and empty text count as absent.

    A class names the fields that have bounds of their own. It holds nothing that refers to it: the garbage
    collector, which costs a tenth of a busy cycle, need not visit thousands of rows.
    """

    AMOUNTS: ClassVar[tuple[str, ...]] = ()  # zero or more
    POSITIVE: ClassVar[tuple[str, ...]] = ()  # more than zero
    PRICES: ClassVar[tuple[str, ...]] = ()  # more than zero, and below what any coin costs in any currency
    WORDS: ClassVar[Mapping[str, Collection[str]]] = {}  # one of these
    ZERO_IS_ABSENT: ClassVar[tuple[str, ...]] = ()  # where 0 means "none"

    def __post_init__(self) -> None:
        # msgspec accepts NaN, Infinity, 1e999999999 and integers of any length.
        values = msgspec.structs.astuple(self)
        integers, decimals = _number_positions(type(self))
        for index in integers:
            if values[index] is not None and values[index].bit_length() > MAX_BITS:
                raise bad_field(Problem.UNUSABLE_NUMBER, self.__struct_encode_fields__[index])
        if not PLAIN_DECIMALS.fullmatch(" ".join([str(values[index]) for index in decimals])):
            for index in decimals:
                if values[index] is not None and not _is_usable(values[index]):
                    raise bad_field(Problem.UNUSABLE_NUMBER, self.__struct_encode_fields__[index])
        for name in self.ZERO_IS_ABSENT:
            if getattr(self, name) == 0:
                force_setattr(self, name, None)
        self._check_bounds()

    def _check_bounds(self) -> None:
        for name, known in self.WORDS.items():
            if getattr(self, name) not in known:
                raise self.impossible(name, Problem.UNKNOWN_WORD)
        for name in self.AMOUNTS:
            if (amount := getattr(self, name)) is not None and amount < 0:
                raise self.impossible(name, Problem.BELOW_ZERO)
        for name in self.POSITIVE + self.PRICES:
            if (amount := getattr(self, name)) is not None and amount <= 0:
                raise self.impossible(name, Problem.NOT_POSITIVE)
        for name in self.PRICES:
            if (amount := getattr(self, name)) is not None and amount.adjusted() >= MAX_PRICE_DIGITS:
                raise self.impossible(name, Problem.NO_PRICE)

    def impossible(self, name: str, code: Problem) -> ValueError:
        return bad_field(code, self.__struct_encode_fields__[self.__struct_fields__.index(name)])

    @classmethod
    def parse(cls, row: Row, **computed: object) -> Self:
        """The fields of `row`; those in `computed` replace what the exchange sent under the same name."""
        fields = {
            name: str(value) if type(value) is int else value  # ids beyond 2^53 may be JSON integers
            for name, value in {**row, **computed}.items()
            if value is not None and value != ""
        }
        for name in _integer_fields(cls):
            # msgspec reads "9007199254740993.0" by way of a float.
            if not str(fields.get(name, "0")).isdecimal():
                fields[name] = integer(fields, name)
        try:
            return msgspec.convert(fields, cls, strict=False)
        except msgspec.ValidationError as error:
            message = _error_message(error)
        except UnicodeError:  # half of a surrogate pair where a number should be
            message = problem(Problem.SOME_FIELD_NO_NUMBER)
        raise (MissingField if message.reason.code == Problem.MISSING else ValueError)(message)


class PlainStruct(WireStruct, frozen=True, kw_only=True):
    """A value whose fields are exactly those of its row."""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls.parse(row)


def check_times(value: T, latest_ms: int) -> T:
    """`value`, unless it happened later than that. Raises ValueError."""
    for name in TIME_FIELDS:
        if (getattr(value, name, None) or 0) > latest_ms:
            raise bad_field(Problem.IN_FUTURE, name.removesuffix("_ms"))
    return value


@cache
def _integer_fields(struct: type[WireStruct]) -> frozenset[str]:
    fields = msgspec.structs.fields(struct)
    return frozenset(field.encode_name for field in fields if field.type in (int, int | None))


@cache
def _number_positions(struct: type[WireStruct]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of the whole numbers and of the decimals among the fields."""
    kinds = [field.type for field in msgspec.structs.fields(struct)]
    integers = tuple(index for index, kind in enumerate(kinds) if kind in (int, int | None))
    return integers, tuple(index for index, kind in enumerate(kinds) if kind in (Decimal, Decimal | None))


def bad_field(code: Problem, name: str) -> ValueError:
    return ValueError(problem(code, field=name))


def _error_message(error: msgspec.ValidationError) -> Sentence:
    """The problem that a check of ours found, else what msgspec says, which quotes no values."""
    own = error.__cause__.args[0] if isinstance(error.__cause__, ValueError) else None
    if isinstance(own, Sentence):
        return own
    what, _, path = str(error).partition(" - at `$")
    path = path.strip("`.")
    if what.startswith("Object missing required field"):
        return problem(Problem.MISSING, field=f"{path}.{what.split('`')[1]}".lstrip("."))
    return problem(Problem.NOT_USABLE, field=path)


def text(row: Row, name: str) -> str:
    """The field as text; "" when absent or null. Ids beyond 2^53 arrive as JSON integers and stay exact."""
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong_type(name, value)
    return str(value)


def number(row: Row, name: str) -> Decimal | None:
    """The field as an exact number; None when absent, null or empty text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    return exact_decimal(name, value)


def price(row: Row, name: str) -> Decimal | None:
    """A price, where the exchange writes 0 for "none" (dossier 5.16)."""
    return number(row, name) or None


def integer(row: Row, name: str) -> int | None:
    value = row.get(name)
    if type(value) is int and value.bit_length() <= MAX_BITS:
        return value
    if value is None or value == "":
        return None
    value = exact_decimal(name, value, max_digits=MAX_INTEGER_DIGITS)
    if value != value.to_integral_value():
        raise bad_field(Problem.NOT_WHOLE, name)
    if int(value).bit_length() > MAX_BITS:
        raise bad_field(Problem.UNUSABLE_NUMBER, name)
    return int(value)


def required_integer(row: Row, name: str) -> int:
    value = integer(row, name)
    if value is None:
        raise bad_field(Problem.MISSING, name)
    return value


def milliseconds(row: Row, name: str) -> int | None:
    """A moment in ms since the epoch; before the exchange existed or after 2286 it is another unit, or a lie."""
    value = integer(row, name)
    if value is not None and not MIN_TIMESTAMP_MS <= value < MAX_TIMESTAMP_MS:
        raise bad_field(Problem.NO_TIME_MS, name)
    return value


def boolean(row: Row, name: str) -> bool | None:
    """A boolean, which older answers write as text (dossier 5.6); None for anything else."""
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


def text_list(row: Row, name: str) -> list[str]:
    """A list of words; a single word counts as a list of one (dossier 5.32)."""
    value = row.get(name)
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return [text(row, name)] if value else []


def exact_decimal(name: str, value: object, *, max_digits: int = MAX_DIGITS) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise _wrong_type(name, value)
    try:
        result = Decimal(value)
    except InvalidOperation:
        raise bad_field(Problem.NO_NUMBER, name) from None
    if not _is_usable(result, max_digits):
        raise bad_field(Problem.UNUSABLE_NUMBER, name)
    return result


def _is_usable(value: Decimal, max_digits: int = MAX_DIGITS) -> bool:
    """Within the bounds above. Zero may be written with any number of zeros, but within bounds too."""
    if PLAIN_DECIMALS.fullmatch(str(value)):
        return True  # almost every number, and there are thousands
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DECIMALS and value.adjusted() < max_digits


def _wrong_type(name: str, value: object) -> ValueError:
    return bad_field(WRONG_TYPES.get(type(value), Problem.UNEXPECTED_KIND), name)
