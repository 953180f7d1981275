"""Keys do not come out: not in a log line, not in an error page."""

import json
import logging
import sys
from html import escape

import pytest
from django.conf import settings as configured
from django.test import RequestFactory
from django.utils.log import configure_logging
from django.views.debug import get_exception_reporter_class, technical_500_response

from exchange.core.observability import JsonFormatter, RedactingFormatter, correlated, redact, traceback_show

KEY, SECRET = "zQ4-the-api-key", "cakp_<the&secret>"


@pytest.fixture(autouse=True)
def keys(settings):
    settings.CRYPTO_COM_API_KEY, settings.CRYPTO_COM_SECRET_KEY = KEY, SECRET


def line(message, *args, error=None):
    record = logging.LogRecord("exchange", logging.INFO, __file__, 1, message, args, error)
    return RedactingFormatter("%(levelname)s %(message)s").format(record)


def json_line(message, *args, error=None):
    record = logging.LogRecord("exchange", logging.INFO, __file__, 1, message, args, error)
    return JsonFormatter().format(record)


def fail():
    secret = SECRET
    raise ValueError(f"refused {secret}")


def test_a_text_without_a_secret_stays_as_it_is():
    assert line("synced %d balances", 7) == "INFO synced 7 balances"


@pytest.mark.parametrize(("secret", "name"), [(KEY, "CRYPTO_COM_API_KEY"), (SECRET, "CRYPTO_COM_SECRET_KEY")])
def test_the_name_stands_in_place_of_the_secret(secret, name):
    assert line("sent %s", {"api_key": secret}) == f"INFO sent {{'api_key': '[{name}]'}}"


def test_a_traceback_is_cleaned():
    try:
        fail()
    except ValueError:
        text = line("lost", error=sys.exc_info())
    assert "refused [CRYPTO_COM_SECRET_KEY]" in text
    assert SECRET not in text


def test_the_database_password_is_a_secret_too(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "correct-horse")
    assert redact("password=correct-horse") == "password=[PASSWORD]"


def test_a_short_word_is_not_blotted_out(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "desk")
    assert redact("the desk is open") == "the desk is open"


def test_a_secret_inside_another_goes_out_with_it(settings):
    settings.CRYPTO_COM_SECRET_KEY = f"{KEY}-longer"
    assert redact(f"<{KEY}-longer>") == "<[CRYPTO_COM_SECRET_KEY]>"


def test_every_handler_of_the_program_cleans_its_lines():
    configure_logging(configured.LOGGING_CONFIG, configured.LOGGING)
    named = [one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    handlers = {handler for one in (logging.getLogger(), *named) for handler in one.handlers}
    ours = [one for one in handlers if type(one) is logging.StreamHandler]
    assert ours
    assert [one for one in ours if not isinstance(one.formatter, RedactingFormatter)] == []


def test_the_error_page_shows_neither_key_although_debug_is_on(settings):
    settings.DEBUG = True
    request = RequestFactory().get("/", {"q": "1"})
    try:
        fail()
    except ValueError:
        page = technical_500_response(request, *sys.exc_info()).content.decode()
    assert "fail" in page
    assert "CRYPTO_COM_SECRET_KEY" in page
    assert not [text for text in (KEY, SECRET, escape(SECRET), settings.SECRET_KEY) if text in page]


def test_the_error_mail_shows_neither_key(settings):
    request = RequestFactory().get("/")
    try:
        fail()
    except ValueError:
        text = get_exception_reporter_class(request)(request, *sys.exc_info()).get_traceback_text()
    assert "[CRYPTO_COM_SECRET_KEY]" in text
    assert not [secret for secret in (KEY, SECRET) if secret in text]


def test_a_line_says_on_which_trail_it_is():
    with correlated("run-7"):
        text = RedactingFormatter("%(trail)s%(message)s").format(logging.makeLogRecord({"msg": "begun"}))
    assert text == "[run-7] begun"
    assert RedactingFormatter("%(trail)s%(message)s").format(logging.makeLogRecord({"msg": "x"})) == "x"


def test_a_json_line_is_one_object_with_the_name_on_top():
    with correlated("run-7"), correlated("req-1"):
        found = json.loads(json_line("synced %d\nbalances", 7))
    assert found["message"] == "synced 7\nbalances"
    assert (found["level"], found["logger"]) == ("INFO", "exchange")
    assert (found["correlation_id"], found["trail"]) == ("req-1", "run-7 req-1")
    assert found["time"].endswith("Z")


@pytest.mark.parametrize(
    "secret", [SECRET, 'quote"and\\slash', "säcret-ütf", "tab\tinside-it", "new\nline-inside"]
)
def test_a_json_line_is_cleaned_in_every_spelling(settings, secret):
    settings.CRYPTO_COM_SECRET_KEY = secret
    try:
        raise ValueError(f"refused {secret} {secret!r} {json.dumps(secret)}")
    except ValueError:
        text = json_line("sent %s as %s", secret, {"secret": secret}, error=sys.exc_info())
    assert json.loads(text)["message"].startswith("sent [CRYPTO_COM_SECRET_KEY] as ")
    for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert form not in text
        assert form not in json.loads(text)["exception"]


def test_an_error_that_nobody_caught_is_shown_cleaned(capsys):
    try:
        fail()
    except ValueError:
        traceback_show(*sys.exc_info())
    shown = capsys.readouterr().err
    assert "ValueError: refused [CRYPTO_COM_SECRET_KEY]" in shown
    assert SECRET not in shown
