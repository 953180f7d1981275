"""How large and how deep may be what is sent to the API."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response


class TooLarge(APIException):
    """More than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_code = "too_large"
    default_detail = "The request is too large."


class Json(JSONParser):
    """JSON that is no deeper than we can read."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deeply.") from None


def answer_to(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The framework's answer to an exception; it knows no body that is too large, and names our classes."""
    from rest_framework.views import exception_handler  # it imports this module, by the settings

    if isinstance(exc, RequestDataTooBig):
        exc = TooLarge()
    elif isinstance(exc, Http404):
        exc = NotFound()
    return exception_handler(exc, context)
