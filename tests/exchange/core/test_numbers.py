"""How numbers are written for a reader, and read as typed."""

from decimal import Decimal

import pytest
from django.utils.translation import override

from exchange.core.numbers import (
    AmbiguousNumber,
    NotANumber,
    input_text,
    number_text,
    parse_number,
    plain_input_text,
    plain_sentences,
    sheet_text,
    stored_number_text,
)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3120", "3120"),
        ("3120.5", "3120.5"),
        ("3120,50", "3120.5"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("1.234.567,891", "1234567.891"),
        ("1,234.567", "1234.567"),
        ("1 234,5", "1234.5"),
        ("1 234 567", "1234567"),
        ("1\u202f234,567", "1234.567"),
        ("0,123", "0.123"),
        ("0.123", "0.123"),
        ("1234,567", "1234.567"),
        ("1,2340", "1.234"),
        ("1.23", "1.23"),
        ("1,2345", "1.2345"),
        (" 7 ", "7"),
        ("0,00000012", "0.00000012"),
        ("100.00", "100"),
        ("-5,5", "-5.5"),
        ("−7", "-7"),
    ],
)
def test_comma_and_point_are_both_read(typed, value):
    for language in ("en", "es"):
        with override(language):
            assert str(parse_number(typed)) == str(Decimal(value))


@pytest.mark.parametrize(
    ("typed", "small", "large"),
    [
        ("1.234", "1.234", "1234"),
        ("1,234", "1.234", "1234"),
        ("12.345", "12.345", "12345"),
        ("999,000", "999", "999000"),
        ("120,500", "120.5", "120500"),
    ],
)
def test_what_can_be_read_in_two_ways_is_never_guessed(typed, small, large):
    for language in ("en", "es"):
        with override(language), pytest.raises(AmbiguousNumber) as refused:
            parse_number(typed)
        assert (refused.value.with_decimals, refused.value.with_thousands) == (Decimal(small), Decimal(large))


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            ".",
            ",",
            ".5",
            "5.",
            "--5",
            "-",
            "+5",
            "1e3",
            "1..2",
            "1.2.3",
            "12,34,567",
            "1234,567,890",
            "0,123,456",
        ),
        *(
            "1.234,567.8",
            "1,23,4.5",
            "1 23",
            "12 34,5",
            "0 123",
            "1234 567",
            "$5",
            "5%",
            "٣",
            "NaN",
            "9" * 21,
        ),
        *("1." + "9" * 21, "1,,234", "1. 234"),
    ],
)
def test_anything_else_is_refused(typed):
    with pytest.raises(NotANumber) as refused:
        parse_number(typed)
    assert not isinstance(refused.value, AmbiguousNumber)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "value",
    ["1.234", "12.345", "999.001", "0.123", "1234.567", "1.2", "5000", "1.2340", "0.00000012", "1E+3"],
)
def test_what_stands_in_an_input_is_read_as_it_was_meant(language, value):
    with override(language):
        for written in (input_text(Decimal(value)), plain_input_text(Decimal(value))):
            assert parse_number(written) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        ("1234.50", "1,234.50", "1.234,50"),
        ("-1234567.5", "−1,234,567.5", "−1.234.567,5"),
        ("0.00000012", "0.00000012", "0,00000012"),
        ("1E+3", "1,000", "1.000"),
        ("1e28", "1.00e+28", "1,00e+28"),
    ],
)
def test_each_language_has_one_way_to_write_a_number(value, english, spanish):
    number = Decimal(value)
    for language, text in (("en", english), ("en-gb", english), ("es", spanish), ("es-mx", spanish)):
        with override(language):
            assert number_text(number) == text


def test_a_spreadsheet_gets_the_decimal_sign_of_its_language_and_no_thousands():
    with override("es"):
        assert sheet_text(Decimal("-1234.50")) == "-1234,50"
    with override("en"):
        assert sheet_text(Decimal("-1234.50")) == "-1234.50"


def test_a_stored_number_is_written_for_the_reader_and_plainly_for_a_program():
    with override("es"):
        assert stored_number_text("94812.50") == "94.812,50"
        assert stored_number_text("ada") == "ada"
        assert stored_number_text(None) is None
        with plain_sentences():
            assert stored_number_text("94812.50") == "94812.50"
        assert stored_number_text("94812.50") == "94.812,50"
