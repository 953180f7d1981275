"""The password again for what weakens protection in the admin, or gives somebody more rights."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from portfolio.security.sudo import asked_first

GUARDED = (
    "oco_ocogroup_",
    "oco_protectionpolicy_",
    "exchange_tradingswitch_",
    "portfolio_apitoken_",
    "django_q_",  # a schedule runs whatever it names, and a deleted one ends the watch
    "auth_",
)


class AdminGuard:
    """Stands before the views of the admin that `GUARDED` names; looking is not guarded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        return asked_first(request) if request.method == "POST" and _is_guarded(request) else None


def _is_guarded(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.app_names == ["admin"] and (match.url_name or "").startswith(GUARDED)
