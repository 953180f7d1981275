"""The programs of the desk: where each listens, and the command line that starts it."""

import http.client
import socket
import sys
from urllib.parse import urlsplit

from django.conf import settings

GUNICORN = "--workers 1 --worker-class gthread --threads 8 --graceful-timeout 5 --no-control-socket"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def has_simulator() -> bool:
    return bool(settings.ENVIRONMENT == "DRY_RUN")


def addresses() -> list[tuple[str, str, int]]:
    """Setting, host and port of each server that is started here."""
    web = ("PORT", settings.HOST, settings.PORT)
    return [web, ("CRYPTO_COM_REST_URL", *simulator_address())] if has_simulator() else [web]


def simulator_address() -> tuple[str, int]:
    url = urlsplit(settings.CRYPTO_COM_REST_URL)
    return url.hostname or "127.0.0.1", url.port or 80


def page_url() -> str:
    return f"http://{_bracketed(_near(settings.HOST))}:{settings.PORT}/"


def simulator_listens() -> bool:
    try:
        socket.create_connection(simulator_address(), timeout=1).close()
    except OSError:
        return False
    return True


def page_answers() -> bool:
    page = http.client.HTTPConnection(_near(settings.HOST), settings.PORT, timeout=5)
    try:
        page.request("GET", "/")
        page.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        page.close()
    return True


def simulator_command() -> list[str]:
    port, state = str(simulator_address()[1]), str(settings.VAR_DIR / "simulator.json")
    return manage("run_simulator", "--port", port, "--state", state)


def web_command() -> list[str]:
    where = ["--bind", f"{_bracketed(settings.HOST)}:{settings.PORT}"]
    return [sys.executable, "-m", "gunicorn", "config.wsgi", *where, *GUNICORN.split(), *_quiet()]


def _quiet() -> list[str]:
    """Gunicorn's master does not know our formats: where lines are JSON it keeps to what is wrong."""
    return ["--log-level", "warning"] if settings.LOG_FORMAT == "json" else []


def worker_command() -> list[str]:
    return manage("run_worker")


def manage(*words: str) -> list[str]:
    return [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), *words, "--skip-checks"]


def _near(host: str) -> str:
    """Where to reach, from this machine, a server that listens on `host`."""
    return EVERYWHERE.get(host, host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
