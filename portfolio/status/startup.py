"""What a start ends with: address, user, where the password is, and the next step."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from exchange.core.hosts import reachable_host

PASSWORD_FILE = "admin_password"  # noqa: S105 - its name
RULE = "─" * 72


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstUser:
    """`password_file` holds the password that is valid now; `is_shown`: this start printed it."""

    name: str
    password_file: Path | None
    is_shown: bool


def startup_lines(*, began: datetime) -> list[str]:
    """In the language of LANGUAGE_CODE. A password is never among them."""
    user = _first_user(began)
    facts = {_("User"): _user_text(user)}
    if user is not None:
        facts[_("Password")] = _password_text(user)
    facts[_("Next")] = _next_step(user)
    width = max(map(len, facts)) + 2
    return [
        "",
        RULE,
        _("Exchange Desk (%(mode)s) is open: %(address)s") % {"mode": _mode(), "address": local_url()},
        *(f"  {name:<{width}}{text}" for name, text in facts.items()),
        "  " + _("Press Ctrl-C to stop. Orders on the exchange stay."),
        RULE,
    ]


def _first_user(began: datetime) -> FirstUser | None:
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if user is None:
        return None
    file = settings.VAR_DIR / PASSWORD_FILE
    is_valid = file.is_file() and user.check_password(file.read_text(encoding="utf-8").strip())
    return FirstUser(
        name=user.get_username(),
        password_file=file if is_valid else None,
        is_shown=user.date_joined >= began,
    )


def _user_text(user: FirstUser | None) -> str:
    return _("none yet") if user is None else user.name


def _password_text(user: FirstUser) -> str:
    if user.password_file is not None:
        return _("in %s") % user.password_file
    if user.is_shown:
        return _("shown above, only once")
    return _("yours; if it is lost:  %s") % f"manage.py changepassword {user.name}"


def _next_step(user: FirstUser | None) -> str:
    if user is None:
        return _("create a user:  %s") % "manage.py createsuperuser"
    if settings.ENVIRONMENT == "DRY_RUN":
        example = "manage.py simulate_order BTC_USD buy 100"
        return _("log in and buy something in the simulator, or:  %s") % example
    return _("check the connection:  %s") % "manage.py check_connection"


def _mode() -> str:
    return settings.ENVIRONMENT if settings.TRADING_ENABLED else f"{settings.ENVIRONMENT}, READ_ONLY"


# Where the pages of this installation are reached


def base_url() -> str:
    """For links in messages, without a slash at the end: DESK_URL, else the address on this machine."""
    return settings.DESK_URL or local_url().rstrip("/")


def local_url() -> str:
    """The address on this machine, from HOST and PORT."""
    return f"http://{bracket_ipv6(reachable_host(settings.HOST))}:{settings.PORT}/"


def bracket_ipv6(host: str) -> str:
    return f"[{host}]" if ":" in host else host
