"""What every answer goes through: two headers, the chosen display, and the short answers to live pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portfolio.web.live import Asked, answer_live
from portfolio.web.preferences import display_of, display_used

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NO_NEWS = 204
Handler = Callable[[HttpRequest], HttpResponse]


def strict_headers(get_response: Handler) -> Handler:
    """Pages run no foreign code, and what an account holds stays in no cache. A 204 is no page, and asked for often."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != NO_NEWS:
            response.headers["Content-Security-Policy"] = POLICY
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def chosen_display(get_response: Handler) -> Handler:
    """Theme, palette and hidden amounts, from the cookies, for as long as the answer is made."""

    def answer(request: HttpRequest) -> HttpResponse:
        with display_used(display_of(request.COOKIES)):
            return get_response(request)

    return answer


def live_updates(get_response: Handler) -> Handler:
    """An open page that asks for news gets the panels that changed, or 204."""

    def answer(request: HttpRequest) -> HttpResponse:
        asked = Asked.of(request)
        return get_response(request) if asked is None else answer_live(asked, request, get_response)

    return answer
