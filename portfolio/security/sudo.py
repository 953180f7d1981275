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

FRESH = timedelta(minutes=5)
GIVEN_AT = "password_given_at"
MARK = "sudo"  # in a form that was held up: it comes from our page and brings the password along
OURS = frozenset({MARK, "password", "known_as", "csrfmiddlewaretoken"})

View = Callable[..., HttpResponse]


def note_password(request: HttpRequest, **_signal: object) -> None:
    """The password was right, just now. Logging in counts: this is connected to `user_logged_in`."""
    request.session[GIVEN_AT] = timezone.now().timestamp()


def is_fresh(request: HttpRequest) -> bool:
    """Whether someone is logged in whose password was given in this session in the last `FRESH`."""
    given = request.session.get(GIVEN_AT)
    if given is None or not request.user.is_authenticated:
        return False
    return 0 <= timezone.now().timestamp() - float(given) < FRESH.total_seconds()


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
            raise forms.ValidationError(_("This is not the password. Nothing was changed."))
        return password

    def _user(self, password: str) -> AbstractBaseUser | None:
        name = self.request.user.get_username()
        return authenticate(self.request, username=name, password=password)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """`/sudo/?next=…`: the password again, then back to where one was."""
    form = PasswordForm(request.POST or None, request=request)
    back = safe_address(request, request.POST.get("next") or request.GET.get("next", ""))
    if form.is_valid():
        note_password(request)
        return redirect(back)
    return render(request, "sudo.html", {"form": form, "next": back})


def safe_address(request: HttpRequest, asked: str) -> str:
    """`asked` when it lies on this desk, else the first page."""
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else resolve_url("home")


def sudo_required(view: View) -> View:
    """A view for whoever gave the password in the last five minutes; everybody else is asked for it."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        asked = asked_first(request)
        return view(request, *args, **kwargs) if asked is None else asked

    return guarded


def asked_first(request: HttpRequest) -> HttpResponse | None:
    """The page that asks for the password, or for the login; None when nothing has to be asked.

    Who only looks comes back by `next`. Who sends a form is asked on the spot, and the form goes on as it was
    filled in.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(_where_one_was(request))
    if is_fresh(request):
        return None
    return _ask(request) if request.method == "POST" else _to_sudo(request)


def _to_sudo(request: HttpRequest) -> HttpResponseRedirect:
    return redirect(f"{reverse('sudo')}?{urlencode({'next': request.get_full_path()})}")


@sensitive_post_parameters("password")
def _ask(request: HttpRequest) -> HttpResponse | None:
    """None when the form brings the right password along; else the page that asks, with the form inside."""
    answered = MARK in request.POST
    form = PasswordForm(request.POST if answered else None, request=request)
    if form.is_valid():
        note_password(request)
        return None
    kept = [(name, value) for name, values in request.POST.lists() for value in values if name not in OURS]
    return render(request, "sudo.html", {"form": form, "kept": kept, "next": _where_one_was(request)})


def _where_one_was(request: HttpRequest) -> str:
    """The page with the form: the address itself when one looked, else the page of this desk that sent it."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    before = urlsplit(request.headers.get("Referer", ""))
    same = before.netloc == request.get_host()
    return f"{before.path}?{before.query}".rstrip("?") if same and before.path else resolve_url("home")


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
