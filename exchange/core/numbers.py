"""How a number is written for a person, in the reader's language, how what a person typed is read, and rounding (pure).

Programs get plain digits with a point, whatever the language: `exchange.fields.format_decimal`.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from django.utils.translation import get_language

MINUS = "−"
MAX_DIGITS = 24  # before the decimal sign; a larger number, which no account has, is shown with an exponent
MAX_TYPED_DIGITS = 20  # on either side of the decimal sign
GROUP_SIZE = 3
SPACE = re.compile(r"[ \u00a0\u2009\u202f]")
SPACED = re.compile(r"[1-9]\d{0,2}(?: \d{3})+(?:[.,]\d+)?", re.ASCII)
SIGNS = re.compile(r"[.,]")
TYPED = re.compile(r"\d+(?:[.,]\d+)*", re.ASCII)
UNIT_SPACE = re.compile(r"(?:(?<=\d)|(?<=</data>)) (?=[A-Z][A-Z0-9]{1,11}\b|%)")
NO_BREAK_SPACE = "\u00a0"
STORED = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
WIDE = Context(prec=400)
MAX_ROUNDED_DIGITS = 300  # before the point; a larger number has no decimals that matter


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The decimal sign, and what stands between thousands."""

    decimal: str
    group: str

    def write(self, plain: str) -> str:
        """Of digits with a point, and commas between thousands or none."""
        return plain.translate({ord("."): self.decimal, ord(","): self.group, ord("-"): MINUS})


ENGLISH = NumberFormat(decimal=".", group=",")
FORMATS = {"en": ENGLISH, "es": NumberFormat(decimal=",", group=".")}

_plain_sentences: ContextVar[bool] = ContextVar("plain_sentences", default=False)


class NotANumber(ValueError):
    """What was typed cannot be read."""


class AmbiguousNumber(NotANumber):
    """What was typed is one number with a decimal sign, and another one with thousands."""

    def __init__(self, with_decimals: Decimal, with_thousands: Decimal) -> None:
        super().__init__(f"{with_decimals} or {with_thousands}")
        self.with_decimals, self.with_thousands = with_decimals, with_thousands


def number_format() -> NumberFormat:
    """That of the active language."""
    return FORMATS.get((get_language() or "").partition("-")[0], ENGLISH)


def number_text(value: Decimal) -> str:
    """`1,234.50`, in Spanish `1.234,50`: with the decimals that `value` is written with."""
    is_long = value and not -MAX_DIGITS <= value.adjusted() < MAX_DIGITS
    return number_format().write(f"{value:.2e}" if is_long else f"{value:,f}")


def axis_text(value: Decimal, decimals: int) -> str:
    return number_format().write(f"{value:,.{decimals}f}")


def sheet_text(value: Decimal) -> str:
    """For a spreadsheet in the reader's language: without thousands, and with a minus that it can read."""
    return f"{value:f}".replace(".", number_format().decimal)


def input_text(value: Decimal) -> str:
    """For an input: without thousands, and never so that `parse_number` would have to ask."""
    return plain_input_text(value).replace(".", number_format().decimal)


def plain_input_text(value: Decimal) -> str:
    """As `input_text`, with a point in every language."""
    text = f"{value:f}"
    return f"{text}0" if _is_ambiguous(*text.partition(".")[::2]) else text


def parse_number(text: str) -> Decimal:
    """What a person typed, with comma or point. Raises AmbiguousNumber (which has no sign) or NotANumber.

    Of two different signs the last one is the decimal sign, and one that is repeated stands between thousands. A
    single sign before three digits can be either, unless no thousands could stand before it.
    """
    unsigned = text.strip()
    if unsigned.startswith(("-", MINUS)) and unsigned[1:2].isdigit():
        return -parse_number(unsigned[1:])
    typed = SPACE.sub(" ", unsigned)
    if SPACED.fullmatch(typed):
        typed = typed.replace(" ", "")
    if not TYPED.fullmatch(typed):
        raise NotANumber(text)
    parts, signs = SIGNS.split(typed), SIGNS.findall(typed)
    has_decimal_sign = len(signs) == 1 or len(set(signs)) > 1
    whole, fraction = (parts[:-1], parts[-1]) if has_decimal_sign else (parts, "")
    if has_decimal_sign and signs[-1] in signs[:-1]:
        raise NotANumber(text)
    if len(signs) == 1 and _is_ambiguous(whole[0], fraction):
        raise AmbiguousNumber(_number(whole[0], fraction), _number("".join(parts), ""))
    if len(whole) > 1 and not _are_thousands(whole):
        raise NotANumber(text)
    return _number("".join(whole), fraction)


@contextmanager
def plain_sentences() -> Iterator[None]:
    """Numbers inside sentences stay plain digits with a point: for programs."""
    token = _plain_sentences.set(True)
    try:
        yield
    finally:
        _plain_sentences.reset(token)


def keep_together(text: str) -> str:
    """Text or HTML, with a space that does not break between a number and its unit."""
    return UNIT_SPACE.sub(NO_BREAK_SPACE, text)


def stored_number_text(value: object) -> object:
    """A number that was stored as plain text, as the reader writes it; anything else as it is."""
    if _plain_sentences.get() or not isinstance(value, str) or not STORED.fullmatch(value):
        return value
    return number_text(Decimal(value))


def sentence_number(value: Decimal) -> str:
    """A number inside a sentence that a program may get as well."""
    return f"{value:f}" if _plain_sentences.get() else number_text(value)


def _is_ambiguous(whole: str, fraction: str) -> bool:
    return len(fraction) == GROUP_SIZE and 0 < len(whole) <= GROUP_SIZE and not whole.startswith("0")


def _are_thousands(groups: list[str]) -> bool:
    first, *others = groups
    return len(first) <= GROUP_SIZE and first[0] != "0" and all(len(one) == GROUP_SIZE for one in others)


def _number(whole: str, fraction: str) -> Decimal:
    # Without zeros at the end: they say nothing, and an order is sent with the decimals that it has.
    if len(whole) > MAX_TYPED_DIGITS or len(fraction) > MAX_TYPED_DIGITS:
        raise NotANumber(f"{whole}.{fraction}")
    decimals = fraction.rstrip("0")
    return Decimal(f"{whole}.{decimals}" if decimals else whole)


# Rounding that takes any number: rounding one with more digits than decimals are computed with raises


def rounded(value: Decimal, decimals: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """`value` with so many decimals; as it is where that has no meaning."""
    if not value.is_finite() or value.adjusted() > MAX_ROUNDED_DIGITS:
        return value
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding, context=WIDE)


def cents(value: Decimal) -> Decimal:
    return rounded(value, 2)


def complete_sum(values: Collection[Decimal | None]) -> Decimal | None:
    """None when one of the values is not known; 0 when there are none."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal()) if len(known) == len(values) else None
