"""The processes of an installation: addresses and command lines."""

import sys
from urllib.parse import urlsplit

from django.conf import settings

from exchange.core.hosts import reachable_host
from portfolio.worker.supervisor import Program


def has_simulator() -> bool:
    return bool(settings.ENVIRONMENT == "DRY_RUN")


def listen_addresses() -> list[tuple[str, str, int]]:
    """Setting, host and port of each server started here."""
    web = ("PORT", settings.HOST, settings.PORT)
    if not has_simulator():
        return [web]
    return [
        web,
        ("CRYPTO_COM_REST_URL", *simulator_address()),
        ("CRYPTO_COM_WS_USER_URL", *stream_address()),
    ]


def simulator_address() -> tuple[str, int]:
    return _host_and_port(settings.CRYPTO_COM_REST_URL)


def stream_address() -> tuple[str, int]:
    return _host_and_port(settings.CRYPTO_COM_WS_USER_URL)


def _host_and_port(address: str) -> tuple[str, int]:
    url = urlsplit(address)
    return url.hostname or "127.0.0.1", url.port or 80


def programs() -> list[Program]:
    """In the order of their start; the worker needs the simulator at once."""
    host, port = simulator_address()
    web = Program("web", web_command(), host=reachable_host(settings.HOST), port=settings.PORT, path="/")
    simulator = Program(
        "simulator",
        simulator_command(),
        directory=str(settings.BASE_DIR),
        host=host,
        port=port,
        needed_by_next=True,
    )
    worker = Program("worker", worker_command())
    return [web, simulator, worker] if has_simulator() else [web, worker]


def simulator_command() -> list[str]:
    """A program without Django, run in BASE_DIR."""
    port, stream_port = str(simulator_address()[1]), str(stream_address()[1])
    state = str((settings.VAR_DIR / "simulator.json").absolute())
    options = ["--port", port, "--stream-port", stream_port, "--state", state]
    return [sys.executable, "-u", "-m", "exchange.simulator", *options]


def web_command() -> list[str]:
    return manage_command("run_web")


def worker_command() -> list[str]:
    return manage_command("run_worker")


def manage_command(*words: str) -> list[str]:
    return [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), *words, "--skip-checks"]
