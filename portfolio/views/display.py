"""How one person wants the desk shown, and what it is made of."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from portfolio.views.back import back
from portfolio.web.preferences import chosen

YEAR_SECONDS = 365 * 86_400


@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keeps the valid choices of the form in cookies and goes back. Needs no login: it changes this browser only."""
    response = back(request)
    for name, value in chosen(request.POST).items():
        response.set_cookie(
            name,
            value,
            max_age=YEAR_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """The version and the works of others."""
    return render(request, "portfolio/about.html")
