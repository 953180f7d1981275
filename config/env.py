"""Typed settings out of plain text; what cannot be read becomes one sentence that names the setting.

The casts of django-environ are not used: its `bool` takes every unknown word for false, and it reads a value that
begins with a dollar as the name of another one. Bounds and contradictions are checked in `exchange.checks`.
"""

import os
import re
import secrets
import zoneinfo
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")
HIDDEN = "********"
LINE_PATTERN = re.compile(r"(#.*|(export )?\w+=.*)?")


class MergedEnvironment(environ.Env):  # type: ignore[misc]
    """The environment, then `.env`: in a copy, so that no child process inherits a key from the file."""

    ENVIRON: dict[str, str] = {}


def read_environment(environment: Mapping[str, str], file: Path) -> dict[str, str]:
    """The values of `environment`, completed by those of `file` when it is there."""
    MergedEnvironment.ENVIRON = dict(environment)
    if file.is_file():
        _check_readable(file)
        _check_lines(file)
        MergedEnvironment.read_env(file)
    return MergedEnvironment.ENVIRON


def _check_readable(file: Path) -> None:
    """In a container the file keeps its owner, who may be another user than ours."""
    try:
        file.open("rb").close()
    except PermissionError:
        raise ImproperlyConfigured(
            f"{file.name} belongs to user {file.stat().st_uid} and cannot be read by user {os.getuid()}, "
            "who runs this. Make them the same (in compose: DESK_UID in .env)."
        ) from None


def _check_lines(file: Path) -> None:
    """django-environ would log such a line with all that is in it, and that may be a key."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not LINE_PATTERN.fullmatch(line):
            raise ImproperlyConfigured(
                f"Line {number} of {file.name} is not understood: write NAME=value, "
                "with no space before the name or around the equals sign."
            )


class Secret(str):
    """A text that does not show in a dump, a traceback or an error page."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{HIDDEN}'" if self else "''"


class EnvReader:
    """Values by name; an absent or empty one is the default."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, "").strip() or default

    def secret(self, name: str) -> Secret:
        return Secret(self.text(name))

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name, TRUE[0] if default else FALSE[0]).lower()
        if value not in TRUE + FALSE:
            _reject(name, "true or false", value)
        return value in TRUE

    def integer(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"-?[0-9]{1,9}", value):
            _reject(name, "a whole number", value)
        return int(value)

    def number(self, name: str, default: str) -> Decimal:
        """An exact decimal, written with a point."""
        value = self.text(name, default)
        if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", value):
            _reject(name, "a number such as 5 or 2.5", value)
        return Decimal(value)

    def string_list(self, name: str, default: str) -> list[str]:
        """A list separated by commas."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            _reject(name, " or ".join(choices), value)
        return value

    def time_of_day(self, name: str, default: str) -> time:
        """A time of day, as 08:00."""
        value = self.text(name, default)
        if not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", value):
            _reject(name, "a time of day such as 08:00", value)
        hour, minute = value.split(":")
        return time(int(hour), int(minute))

    def time_zone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            _reject(name, "a time zone such as UTC or Europe/Madrid", value)
        return value

    def database(self, name: str, default: str, mode: str = "") -> dict[str, Any]:
        """Django's description of a database; the text itself is never repeated, it may hold a password.

        `{mode}` in it becomes `mode`: one server then has a database for each.
        """
        text = self.text(name, default).replace("{mode}", mode)
        if not re.match(r"(postgres|postgresql|sqlite)://", text):
            raise ImproperlyConfigured(
                f"{name} must begin with postgres:// or sqlite:// (postgres://user:password@host:5432/name)."
            )
        try:
            found = dict(environ.Env.db_url_config(text))
        except ValueError:
            raise ImproperlyConfigured(f"{name} is not an address of a database.") from None
        return {**found, "PASSWORD": Secret(found.get("PASSWORD", ""))}


def _reject(name: str, expected: str, found: str) -> NoReturn:
    raise ImproperlyConfigured(f"{name} must be {expected}, not “{found}”.")


def simulator_stream_root(rest_url: str) -> str:
    """Where the simulator serves its streams: on the port after that of its REST address."""
    try:
        port = urlsplit(rest_url).port or 80
    except ValueError:  # no address at all, which exchange.checks says
        port = 80
    return f"ws://127.0.0.1:{port + 1}/exchange/v1"


def secret_key(path: Path) -> str:
    """The key that signs sessions, in `path`; created at the first call, readable by its owner alone."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_once(path, secrets.token_urlsafe(50))
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The key that signs sessions cannot be kept in {path} ({error.strerror}). "
            "Make room there, or make it writable."
        ) from None


def path_digest(path: Path) -> str:
    """A short name for a folder, for files about it in another folder."""
    return sha256(str(path.resolve()).encode()).hexdigest()[:12]


def _write_once(path: Path, text: str) -> None:
    """Two processes may start at once: the link is atomic, the loser keeps the winner's file."""
    temporary_file = path.with_name(f"{path.name}.{os.getpid()}")
    temporary_file.touch(mode=0o600)
    temporary_file.write_text(text)
    try:
        os.link(temporary_file, path)
    except FileExistsError:
        return
    finally:
        temporary_file.unlink()
