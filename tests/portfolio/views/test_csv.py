"""A file opens in a spreadsheet as it was: no formula is made of a text, and a number stays a number."""

import csv
from datetime import UTC, datetime
from decimal import Decimal as D
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.core.texts import escape_control
from portfolio.views.lists import FORMULA_PREFIXES, UTF8_BOM, cell_text, csv_lines


def read(*rows):
    lines = "".join(csv_lines(("a", "b"), rows))
    assert lines.startswith(UTF8_BOM)
    return list(csv.reader(StringIO(lines.removeprefix(UTF8_BOM), newline="")))


@pytest.mark.parametrize("first", FORMULA_PREFIXES)
def test_a_text_that_looks_like_a_formula_is_only_text(first):
    text = f'{first}HYPERLINK("http://evil.example","click")'
    assert cell_text(text) == f"'{text}"
    assert cell_text(f"  {text}").startswith("'")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (D("-1.50"), "-1.50"),
        (D("1E-8"), "0.00000001"),
        (D("-0"), "0"),
        (D("1E+3"), "1000"),
        (-7, "-7"),
        (None, ""),
        (datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC), "2026-05-01T12:00:00.123Z"),
        ("BTC_USD", "BTC_USD"),
    ],
)
def test_numbers_and_times_are_exact(value, shown):
    assert cell_text(value) == shown


def test_quotes_commas_and_line_ends_stay_inside_their_cell():
    assert read(['a "b", c\nd', "x"])[1] == ['a "b", c\nd', "x"]


@pytest.mark.parametrize("for_sheet", [False, True])
def test_what_a_reader_cannot_see_is_escaped_and_ordinary_text_is_not_touched(for_sheet):
    (_head, line) = csv_lines(
        ("a", "b"), [["x\x1b[31m\u202eevil\x07", "café “1”\t€\nend"]], for_sheet=for_sheet
    )
    assert line == 'x\\x1b[31m\\u202eevil\\x07,"café “1”\t€\nend"\r\n'


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_at_all_begins_a_formula(text):
    cell, shown = cell_text(text), escape_control(text)
    assert not cell.lstrip(" ").startswith(FORMULA_PREFIXES)
    assert cell.removeprefix("'") == shown.removeprefix("'") or cell == shown


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9))
def test_every_number_comes_back(number):
    assert D(read([number, ""])[1][0]) == number


def test_a_long_id_keeps_its_digits_in_a_spreadsheet_and_is_bare_for_a_program():
    order_id = "6530219599901234567"
    assert cell_text(order_id) == order_id
    assert cell_text(order_id, for_sheet=True) == f"'{order_id}"
    assert cell_text(D("1234567890.12345678"), for_sheet=True) == "1234567890.12345678"
