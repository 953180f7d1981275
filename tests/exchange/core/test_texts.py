"""Nothing invisible in a text of others reaches a terminal, a log or a page."""

import io
import logging

import pytest
from django.test import Client

from exchange.client.errors import ExchangeError
from exchange.core.observability import RedactingFormatter
from exchange.core.reasons import OrderReason, reason
from exchange.core.texts import EscapingStream, escape_control, escape_line
from oco.presentation.reasons import render_reason
from tests import factories

EVIL = "a\x1b[2Jb\x07\x9b1m\u202etxt\u2066\u200f\x00"


@pytest.mark.parametrize(
    ("sign", "shown"),
    [
        ("\x1b", "\\x1b"),
        ("\x00", "\\x00"),
        ("\x7f", "\\x7f"),
        ("\x9b", "\\x9b"),
        ("\u202e", "\\u202e"),
        ("\u2067", "\\u2067"),
        ("\ufeff", "\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\n", "\n"),
        ("\t", "\t"),
        ("ñ", "ñ"),
        ("−", "−"),
        ("’", "’"),
    ],
)
def test_each_sign(sign, shown):
    assert escape_control(f"a{sign}b") == f"a{shown}b"


def test_a_line_stays_one_line():
    assert escape_line("a\r\nb\u2028c") == "a\\r\\nb\\u2028c"


def test_a_console_shows_them_and_keeps_its_own_colours():
    out = io.StringIO()
    console = EscapingStream(out)
    console.write(f"\x1b[31;1mred\x1b[0m\r{EVIL}\n")
    assert out.getvalue().startswith("\x1b[31;1mred\x1b[0m\ra\\x1b[2Jb\\x07")
    assert not console.isatty()


def is_clean(text):
    return not any(sign in text for sign in EVIL if not sign.isprintable())


def test_an_error_of_the_exchange_is_clean():
    error = ExchangeError(method="private/create-order", message=f"{EVIL}\nsecond", code=1)
    assert is_clean(str(error))
    assert "\n" not in str(error)


def test_a_reason_is_clean():
    refused = reason(OrderReason.ORDER_REFUSED, exchange_code=99999, answer=f"{EVIL}\n2026 INFO forged")
    shown = render_reason(refused)
    assert is_clean(shown)
    assert "\n" not in shown


def test_a_line_of_the_log_cannot_be_forged():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(message)s"))
    record = logging.LogRecord("x", logging.INFO, "f", 1, "bought by %s", (f"eve{EVIL}\nERROR forged",), None)
    handler.emit(record)
    assert out.getvalue().count("\n") == 1
    assert is_clean(out.getvalue())


@pytest.mark.django_db
def test_a_page_shows_them():
    factories.WatchFactory(note="note\u202etxt")
    assert "note\\u202etxt" in Client().get("/watchlist/").content.decode()
