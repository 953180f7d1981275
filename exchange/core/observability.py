"""Takes secrets out of everything that is written or shown, and correlates what belongs together.

A correlation id names the request (`req-3f9a…`), cycle (`run-15`) or command (`cmd-…`) that led to an order, event,
alert or log line. Ids are stacked: a row keeps the innermost one, a log line shows the whole trail.
"""

import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from html import escape
from types import TracebackType
from urllib.parse import unquote

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

from exchange.core.database import database_problem
from exchange.core.texts import escape_line

CORRELATION_ID_LENGTH = 40
SECRET_SETTINGS = ("CRYPTO_COM_API_KEY", "CRYPTO_COM_SECRET_KEY", "SECRET_KEY")
SECRET_URL_SETTINGS = ("ALERT_URLS", "HEARTBEAT_URL")
MIN_SECRET_LENGTH = 6  # a shorter text would hide ordinary words
TOKEN_PATTERN = re.compile(r"(?=.*\d)[^/]{8,}")  # of an address: long, with a digit
URL_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s,]+", re.IGNORECASE)
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_trail: ContextVar[tuple[str, ...]] = ContextVar("trail", default=())
_address: ContextVar[str] = ContextVar("address", default="")


def new_correlation_id(kind: str) -> str:
    """A new unique id."""
    return f"{kind}-{secrets.token_hex(6)}"


def correlation_id() -> str:
    """The innermost id; empty outside of every block."""
    return (_trail.get() or ("",))[-1]


def trail() -> str:
    """All ids, the outermost first."""
    return " ".join(_trail.get())


def from_address() -> str:
    """The address of the person who asked; empty for a program."""
    return _address.get()


@contextmanager
def correlated(name: str, *, address: str = "") -> Iterator[None]:
    """What happens in the block belongs to `name`. An empty name (of an old row) changes nothing."""
    current = _trail.get()
    trail_token = _trail.set((*current, name) if name and name not in current[-1:] else current)
    address_token = _address.set(address or _address.get())
    try:
        yield
    finally:
        _address.reset(address_token)
        _trail.reset(trail_token)


def redact(text: str) -> str:
    """`text` without any secret of the settings; the name of the setting stands in its place."""
    for name, secret in _secrets():
        for variant in {secret, escape(secret), repr(secret)[1:-1], json.dumps(secret)[1:-1]}:
            text = text.replace(variant, f"[{name}]")
    return text


def _secrets() -> list[tuple[str, str]]:
    """Longest first: a secret that contains another one goes out whole."""
    found = [(name, str(getattr(settings, name, "") or "")) for name in SECRET_SETTINGS]
    for name in SECRET_URL_SETTINGS:
        found += [(name, part) for part in secret_parts(str(getattr(settings, name, "") or ""))]
    found += [("PASSWORD", str(one.get("PASSWORD", ""))) for one in settings.DATABASES.values()]
    return sorted(
        (pair for pair in found if len(pair[1]) >= MIN_SECRET_LENGTH), key=lambda pair: -len(pair[1])
    )


@cache
def secret_parts(addresses: str) -> frozenset[str]:
    """What is secret in a list of addresses: each one whole, its password, and what looks like a token, for a
    token may come back in an address of another shape. The name of a machine stands in every other line; a token
    in its place has no dot.
    """
    found = {addresses, *URL_PATTERN.findall(addresses)}
    for address in URL_PATTERN.findall(addresses):
        rest = address.partition("://")[2]
        userinfo, _, host = re.split(r"[/?#]", rest)[0].rpartition("@")
        password = userinfo.partition(":")[2]
        tokens = {part for part in re.split(r"[/:@?&=#]", rest) if TOKEN_PATTERN.fullmatch(part)}
        name = host.partition(":")[0]
        found |= {password, unquote(password)} | tokens - ({name} if "." in name else set())
    return frozenset(found - {""})


class RedactingFormatter(logging.Formatter):
    """Cleans the finished line, so arguments, tracebacks and stacks are covered as well. Knows `%(trail)s`."""

    def format(self, record: logging.LogRecord) -> str:
        names = trail()
        record.trail = f"[{names}] " if names else ""
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escape_line(record.message)  # a text of others cannot look like a line of the log
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo) -> str:
        return _database_sentence(ei) or super().formatException(ei)


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Each text is cleaned before it is quoted, and the line once more."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds")
        line = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "correlation_id": correlation_id(),
            "trail": trail(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        cleaned = {name: redact(text) for name, text in line.items()}
        return redact(json.dumps(cleaned, ensure_ascii=False))

    def formatException(self, ei: ExceptionInfo) -> str:
        return _database_sentence(ei) or super().formatException(ei)


def _database_sentence(exception: ExceptionInfo) -> str | None:
    """A full disk or a missing database needs no stack: the same words wherever it is noticed."""
    with translation.override("en"):
        return database_problem(exception[1])


def traceback_show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python shows when nobody caught an error (`sys.excepthook`), without keys."""
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


class RedactingReporter(ExceptionReporter):
    """Django's error page and error mail; variables of the stack are shown there as they are."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(redact(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(redact(super().get_traceback_text()))
