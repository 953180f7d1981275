"""How numbers are written."""

from decimal import Decimal

import pytest

from portfolio.formatting import amount_text, code_label, instrument_label, percent_text, usd_text
from portfolio.templatetags.formatting import amount, percent, quantity_down, usd, usd_down
from portfolio.templatetags.labels import cover_pill


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234.56", "$1,234.56"),
        ("0", "$0.00"),
        ("0.00", "$0.00"),
        ("0.004", "<$0.01"),
        ("-0.004", "−<$0.01"),
        ("-1234567.891", "−$1,234,567.89"),
        ("0.125", "$0.12"),
        ("0.135", "$0.14"),
        ("1E+7", "$10,000,000.00"),
    ],
)
def test_dollars_have_two_decimals_and_something_is_never_nothing(value, text):
    assert usd_text(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ("94812.5", 2, "94,812.50"),
        ("0.2184", 5, "0.21840"),
        ("5000000", 0, "5,000,000"),
        ("12300", 0, "12,300"),
        ("0.1234567", 2, "0.12"),
        ("0.0000012", 2, "0.0000012"),
        ("1.2E-7", None, "0.00000012"),
        ("1.50", None, "1.50"),
        ("5E+6", None, "5,000,000"),
        ("-3", 2, "−3.00"),
    ],
)
def test_amounts_have_the_decimals_of_their_instrument(value, decimals, text):
    assert amount_text(Decimal(value), decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.1234567899", "0.12345678"),
        ("0.10", "0.10"),
        ("0.00000000009", "0.00000000009"),
    ],
)
def test_a_balance_is_rounded_down_to_eight_decimals(value, text):
    assert f">{text}<" in quantity_down(Decimal(value))


def test_cash_is_rounded_down():
    assert usd_down(Decimal("5095.839")) == '<data value="5095.839">$5,095.83</data>'


def test_the_whole_number_stays_behind_the_text():
    assert usd(Decimal("1E+3")) == '<data value="1000">$1,000.00</data>'
    assert percent(Decimal("42.90")) == '<data value="42.90">42.90%</data>'


def test_what_is_not_known_is_no_number():
    assert ">&lt;0.01%<" in percent(Decimal("0.0041935634655492"))
    assert "−&lt;0.1%" in percent(Decimal("-0.04"), 1)
    for shown in (usd(None), usd_down(None), amount(None, 2), quantity_down(None), percent(None)):
        assert shown == '<span class="na">n/a</span>'


def test_the_words_of_the_exchange_become_ours():
    assert (instrument_label("BTC_USD"), instrument_label("BTCUSD-PERP")) == ("BTC/USD", "BTCUSD-PERP")
    assert (code_label("STOP_LOSS"), code_label("SOMETHING_NEW")) == ("Stop loss", "Something new")
    assert 'class="pill ok"' in cover_pill("PROTECTED")
    assert cover_pill("PROTECTED").endswith("Protected</span>")
    assert 'class="pill off" data-status="SOMETHING_NEW"' in cover_pill("SOMETHING_NEW")


@pytest.mark.parametrize(
    "text", ["1e28", "1e59", "-1e59", "1e-59", "1e999999", "1e-999999", "NaN", "Infinity"]
)
def test_a_number_beyond_reason_is_written_somehow_and_not_at_length(text):
    value = Decimal(text)
    for written in (usd_text(value), amount_text(value), amount_text(value, 5), percent_text(value)):
        assert 0 < len(written) < 60
