"""The API described: for programs as OpenAPI 3, for people as a page made of the same."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from portfolio.api.reading import Page
from portfolio.security.access import readers_only


@cache
def document() -> dict[str, Any]:
    """The same for everybody, so it is made once."""
    with override("en"):
        made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        found: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    return found


class Schema(APIView):
    """OpenAPI 3."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())


@require_safe
@readers_only
def docs(request: HttpRequest) -> HttpResponse:
    """What one may ask, what is answered, and who may."""
    return render(request, "docs.html", {"api": Page(document())})
