"""Where to go after something was done."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def back(request: HttpRequest) -> HttpResponse:
    """To the page that the form names, which is one of this desk; else to the dashboard."""
    page = request.POST.get("back", "")
    return redirect(page if url_has_allowed_host_and_scheme(page, {request.get_host()}) else "home")
