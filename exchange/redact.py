"""The last line of defence: whatever is written or shown, the texts of keys and passwords are taken out."""

import logging
from html import escape

from django.conf import settings
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

SECRET_SETTINGS = ("CRYPTO_COM_API_KEY", "CRYPTO_COM_SECRET_KEY", "SECRET_KEY")
SHORTEST = 6  # a shorter text would blot out ordinary words


def redact(text: str) -> str:
    """`text` without any secret of the settings; the name of the setting stands in its place."""
    for name, secret in _secrets():
        for form in {secret, escape(secret), repr(secret)[1:-1]}:
            text = text.replace(form, f"[{name}]")
    return text


def _secrets() -> list[tuple[str, str]]:
    """Longest first: a secret that contains another one goes out whole."""
    found = [(name, str(getattr(settings, name, "") or "")) for name in SECRET_SETTINGS]
    found += [("PASSWORD", str(one.get("PASSWORD", ""))) for one in settings.DATABASES.values()]
    return sorted((pair for pair in found if len(pair[1]) >= SHORTEST), key=lambda pair: -len(pair[1]))


class RedactingFormatter(logging.Formatter):
    """Cleans the finished line, so arguments, tracebacks and stacks are covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class RedactingReporter(ExceptionReporter):
    """Django's error page and error mail; variables of the stack are shown there as they are."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(redact(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(redact(super().get_traceback_text()))
