"""Password confirmation for actions that weaken protection or give more rights: an open session is not enough."""

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
SUDO_URL_PREFIXES = (
    "oco_ocogroup_",
    "oco_protectionpolicy_",
    "exchange_tradingswitch_",
    "portfolio_apitoken_",
    "django_q_",  # a schedule runs whatever it names, and a deleted one ends the watch
    "auth_",
)


class PasswordForm(forms.Form):
    """Attempts count like those of the login."""

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


class AdminSudoMiddleware:
    """Guards the admin views named in `GUARDED`; looking is not guarded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        return password_challenge(request) if request.method == "POST" and _needs_sudo(request) else None


def record_password_given(request: HttpRequest, **_signal: object) -> None:
    """Connected to `user_logged_in` as well."""
    request.session[CONFIRMED_AT_KEY] = timezone.now().timestamp()


def has_recent_password(request: HttpRequest) -> bool:
    """Whether the logged-in user confirmed the password in this session within SUDO_DURATION."""
    given = request.session.get(CONFIRMED_AT_KEY)
    if given is None or not request.user.is_authenticated:
        return False
    return 0 <= timezone.now().timestamp() - float(given) < SUDO_DURATION.total_seconds()


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@login_required
def confirm_password(request: HttpRequest) -> HttpResponse:
    """`/sudo/?next=…`: confirm the password, then go back."""
    form = PasswordForm(request.POST or None, request=request)
    back = safe_url(request, request.POST.get("next") or request.GET.get("next", ""))
    if form.is_valid():
        record_password_given(request)
        return redirect(back)
    return render(request, "sudo.html", {"form": form, "next": back})


def safe_url(request: HttpRequest, url: str) -> str:
    """`url` if it is on this site, else the dashboard."""
    is_safe = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if is_safe else resolve_url("home")


def sudo_required(view: View) -> View:
    """The view needs a password confirmed in the last five minutes."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        challenge = password_challenge(request)
        return view(request, *args, **kwargs) if challenge is None else challenge

    return wrapper


def password_challenge(request: HttpRequest) -> HttpResponse | None:
    """The password page or the login page; None when neither is needed.

    A GET comes back by `next`. A POST is asked for the password in place, and continues with its form unchanged.
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
    # None when the form contains the right password; else the password page, with the fields of the form.
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
    # A POST returns to the page of this site that sent it.
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    before = urlsplit(request.headers.get("Referer", ""))
    same = before.netloc == request.get_host()
    return f"{before.path}?{before.query}".rstrip("?") if same and before.path else resolve_url("home")


def _needs_sudo(request: HttpRequest) -> bool:
    match = request.resolver_match
    return (
        match is not None
        and match.app_names == ["admin"]
        and (match.url_name or "").startswith(SUDO_URL_PREFIXES)
    )
