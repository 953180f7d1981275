"""Whatever weakens protection asks for the password again: a session that was left open is not enough.

The password again for what weakens protection in the admin, or gives somebody more rights.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

SUDO_DURATION = timedelta(minutes=5)
CONFIRMED_AT_KEY = "password_given_at"
SUDO_FIELD = "sudo"  # in a form that was held up: it comes from our page and brings the password along
OWN_FIELDS = frozenset({SUDO_FIELD, "password", "known_as", "csrfmiddlewaretoken"})

View = Callable[..., HttpResponse]


def record_password_given(request: HttpRequest, **_signal: object) -> None:
    """The password was right, just now. Logging in counts: this is connected to `user_logged_in`."""
    request.session[CONFIRMED_AT_KEY] = timezone.now().timestamp()


def has_recent_password(request: HttpRequest) -> bool:
    """Whether someone is logged in whose password was given in this session in the last `FRESH`."""
    given = request.session.get(CONFIRMED_AT_KEY)
    if given is None or not request.user.is_authenticated:
        return False
    return 0 <= timezone.now().timestamp() - float(given) < SUDO_DURATION.total_seconds()


class PasswordForm(forms.Form):
    """The password of whoever is logged in; attempts count as those of the login do."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if self._user(password) != self.request.user:
            raise forms.ValidationError(_("Wrong password. Nothing was changed."))
        return password

    def _user(self, password: str) -> AbstractBaseUser | None:
        name = self.request.user.get_username()
        return authenticate(self.request, username=name, password=password)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@login_required
def confirm_password(request: HttpRequest) -> HttpResponse:
    """`/sudo/?next=…`: the password again, then back to where one was."""
    form = PasswordForm(request.POST or None, request=request)
    back = safe_url(request, request.POST.get("next") or request.GET.get("next", ""))
    if form.is_valid():
        record_password_given(request)
        return redirect(back)
    return render(request, "sudo.html", {"form": form, "next": back})


def safe_url(request: HttpRequest, asked: str) -> str:
    """`asked` when it lies on this desk, else the first page."""
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else resolve_url("home")


def sudo_required(view: View) -> View:
    """A view for whoever gave the password in the last five minutes; everybody else is asked for it."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        asked = password_challenge(request)
        return view(request, *args, **kwargs) if asked is None else asked

    return wrapper


def password_challenge(request: HttpRequest) -> HttpResponse | None:
    """The page that asks for the password, or for the login; None when nothing has to be asked.

    Who only looks comes back by `next`. Who sends a form is asked on the spot, and the form goes on as it was
    filled in.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(_return_url(request))
    if has_recent_password(request):
        return None
    return _password_page(request) if request.method == "POST" else _redirect_to_sudo(request)


def _redirect_to_sudo(request: HttpRequest) -> HttpResponseRedirect:
    return redirect(f"{reverse('sudo')}?{urlencode({'next': request.get_full_path()})}")


@sensitive_post_parameters("password")
def _password_page(request: HttpRequest) -> HttpResponse | None:
    """None when the form brings the right password along; else the page that asks, with the form inside."""
    is_submitted = SUDO_FIELD in request.POST
    form = PasswordForm(request.POST if is_submitted else None, request=request)
    if form.is_valid():
        record_password_given(request)
        return None
    preserved_fields = [
        (name, value) for name, values in request.POST.lists() for value in values if name not in OWN_FIELDS
    ]
    return render(
        request,
        "sudo.html",
        {"form": form, "preserved_fields": preserved_fields, "next": _return_url(request)},
    )


def _return_url(request: HttpRequest) -> str:
    """The page with the form: the address itself when one looked, else the page of this desk that sent it."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    before = urlsplit(request.headers.get("Referer", ""))
    same = before.netloc == request.get_host()
    return f"{before.path}?{before.query}".rstrip("?") if same and before.path else resolve_url("home")


SUDO_URL_PREFIXES = (
    "oco_ocogroup_",
    "oco_protectionpolicy_",
    "exchange_tradingswitch_",
    "portfolio_apitoken_",
    "django_q_",  # a schedule runs whatever it names, and a deleted one ends the watch
    "auth_",
)


class AdminSudoMiddleware:
    """Stands before the views of the admin that `GUARDED` names; looking is not guarded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        return password_challenge(request) if request.method == "POST" and _needs_sudo(request) else None


def _needs_sudo(request: HttpRequest) -> bool:
    match = request.resolver_match
    return (
        match is not None
        and match.app_names == ["admin"]
        and (match.url_name or "").startswith(SUDO_URL_PREFIXES)
    )
