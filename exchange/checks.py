"""Settings out of bounds or in contradiction: errors and warnings with a hint, checked before anything starts."""

import ipaddress
import os
import stat
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register, run_checks
from django.core.checks.security.base import SECRET_KEY_INSECURE_PREFIX

TAG = "exchange"
MIN_KEY_LENGTH = 50
MIN_KEY_CHARACTERS = 10  # different ones
API_KEY_SETTINGS = ("CRYPTO_COM_API_KEY", "CRYPTO_COM_SECRET_KEY")
DASHBOARD_PUBLIC_VALUES = ("false", "loopback", "true")
EXCHANGE_ADDRESSES = {
    "CRYPTO_COM_REST_URL": ("http", "https", "https://api.crypto.com/exchange/v1"),
    "CRYPTO_COM_WS_USER_URL": ("ws", "wss", "wss://stream.crypto.com/exchange/v1/user"),
    "CRYPTO_COM_WS_MARKET_URL": ("ws", "wss", "wss://stream.crypto.com/exchange/v1/market"),
}
BOUNDS = {
    "SYNC_INTERVAL_SECONDS": (30, 120),
    "STOP_LOSS_PCT": (Decimal("0.1"), 99),
    "TAKE_PROFIT_PCT": (Decimal("0.1"), 900),
    "PORT": (1, 65535),
    "RETENTION_DAYS": (1, 3650),
}


def is_loopback(host: str | None) -> bool:
    """True for an address that never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return False


@register(TAG)
def check_api_keys(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if not settings.LIVE_TRADING:
        return
    missing = [name for name in API_KEY_SETTINGS if not getattr(settings, name)]
    if missing:
        yield Error(
            f"LIVE_TRADING is true but there is no {' and no '.join(missing)}.",
            hint="Put both keys of Crypto.com Exchange (Settings, API Management) into .env, "
            "or set LIVE_TRADING=false to practise with the simulator.",
            id="exchange.E001",
        )


@register(TAG)
def check_addresses(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    for name, (plain, secure, example) in EXCHANGE_ADDRESSES.items():
        url = urlsplit(getattr(settings, name))
        if url.scheme not in (plain, secure) or not url.hostname or _port_of(url) is None:
            yield Error(
                f"{name} is not an address.",
                hint=f"It looks like {example}. Leave it empty for that of the mode.",
                id="exchange.E006",
            )
        elif not is_loopback(url.hostname):
            yield from _check_remote_url(name, is_plain=url.scheme == plain, plain=plain, secure=secure)


def _check_remote_url(name: str, *, is_plain: bool, plain: str, secure: str) -> Iterator[CheckMessage]:
    if is_plain:
        yield Error(
            f"{name} is plain {plain} to another machine: key and orders would travel unprotected.",
            hint=f"Use {secure}://, or an address on 127.0.0.1.",
            id="exchange.E002",
        )
    if settings.ENVIRONMENT == "DRY_RUN":
        yield Error(
            f"{name} leads to another machine, but a dry run talks only to this one.",
            hint=f"Remove {name}, or set LIVE_TRADING=true if you mean real orders.",
            id="exchange.E003",
        )


@register(TAG)
def check_ports(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    """In a dry run the web server and both doors of the simulator listen on this machine."""
    if settings.ENVIRONMENT != "DRY_RUN":
        return
    used: dict[int | None, str] = {settings.PORT: "PORT"} if _listens_on_loopback(settings.HOST) else {}
    for name in ("CRYPTO_COM_REST_URL", "CRYPTO_COM_WS_USER_URL"):
        port = _port_of(urlsplit(getattr(settings, name)))
        if port is not None and port in used:
            yield Error(
                f"{used[port]} and {name} have the same port, {port}.",
                hint=f"Set {name} to an address on 127.0.0.1 with a port of its own.",
                id="exchange.E009",
            )
        used[port] = name


def _listens_on_loopback(host: str) -> bool:
    return is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104


def _port_of(url: SplitResult) -> int | None:
    """None when the text after the colon is no port."""
    try:
        return url.port or (443 if url.scheme in ("https", "wss") else 80)
    except ValueError:
        return None


@register(TAG)
def check_bounds(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    for name, (lowest, highest) in BOUNDS.items():
        value = getattr(settings, name)
        if not lowest <= value <= highest:
            yield Error(
                f"{name} is {value}.", hint=f"Choose a value from {lowest} to {highest}.", id="exchange.E004"
            )


@register(TAG)
def check_dashboard_public(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.DASHBOARD_PUBLIC not in DASHBOARD_PUBLIC_VALUES:
        yield Error(
            f"DASHBOARD_PUBLIC is “{settings.DASHBOARD_PUBLIC}”.",
            hint=f"Choose one of: {', '.join(DASHBOARD_PUBLIC_VALUES)}.",
            id="exchange.E005",
        )
    elif settings.LIVE_TRADING and settings.DASHBOARD_PUBLIC == "true" and not is_loopback(settings.HOST):
        yield Warning(
            f"Anyone who reaches {settings.HOST}:{settings.PORT} sees your account without a login.",
            hint="Set DASHBOARD_PUBLIC=loopback (or false), or HOST=127.0.0.1.",
            id="exchange.W001",
        )


@register(TAG)
def check_mode(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.USE_SANDBOX and not settings.LIVE_TRADING:
        yield Warning(
            "CRYPTO_COM_USE_SANDBOX has no effect: LIVE_TRADING is false, so this is a dry run.",
            hint="Set LIVE_TRADING=true to use the sandbox, or CRYPTO_COM_USE_SANDBOX=false.",
            id="exchange.W002",
        )
    if settings.DEBUG and settings.LIVE_TRADING:
        kind, number = (Error, "E008") if settings.ENVIRONMENT == "LIVE" else (Warning, "W003")
        yield kind(
            "DEBUG is on while trading is live: error pages show the inside of the program.",
            hint="Set DEBUG=false.",
            id=f"exchange.{number}",
        )


@register(TAG)
def check_secret_key(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    if settings.ENVIRONMENT == "LIVE" and _is_weak(settings.SECRET_KEY):
        yield Error(
            "SECRET_KEY is weak: anyone who guesses it can log in as any user.",
            hint=f"Leave it empty, so that one is generated, or use at least {MIN_KEY_LENGTH} random characters.",
            id="exchange.E007",
        )


def _is_weak(key: str) -> bool:
    return (
        len(key) < MIN_KEY_LENGTH
        or len(set(key)) < MIN_KEY_CHARACTERS
        or key.startswith(SECRET_KEY_INSECURE_PREFIX)
    )


@register(TAG)
def check_env_file(app_configs: Any, **kwargs: Any) -> Iterator[CheckMessage]:
    file = settings.ENV_FILE
    if file.is_file() and os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Warning(
            f"{file.name} can be read by other users of this machine.",
            hint=f"chmod 600 {file.name}",
            id="exchange.W004",
        )


def settings_errors() -> str:
    """The errors as one text, empty when there is none; for servers, which run no checks by themselves."""
    errors = [message for message in run_checks(tags=[TAG]) if message.is_serious()]
    return "\n".join(f"{error.msg} {error.hint} ({error.id})" for error in errors)
