"""The web server as shipped, on the database of a benchmark, and clients that ask it over HTTP."""

from __future__ import annotations

import http.client
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from tests.benchmarks.bench import ms
from tests.programs import Installation

TICKS = os.sysconf("SC_CLK_TCK")
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: of the client by request, and of the server's CPU for each."""

    p50: float
    p95: float
    cpu: float

    def columns(self) -> list[str]:
        return [ms(self.p50), ms(self.p95), ms(self.cpu)]


class Served:
    """`run_web` beside the database that is open here. Every series of requests comes from an address of its own."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="bench")
        self._installation = Installation(Path(self._directory.name), DATABASE_URL=_database_url())
        self._addresses = (f"127.0.1.{n}" for n in count(1))

    def __enter__(self) -> Self:
        self._installation.run("setup")  # the static files
        self._web = self._installation.start("run_web")
        self._web.wait_for_text("The web server listens")
        return self

    def __exit__(self, *failure: object) -> None:
        self._installation.clear()
        self._directory.cleanup()

    def ask(
        self,
        address: str,
        times: int,
        headers: Headers = {},  # noqa: B006  # read only
        *,
        status: int = 200,
        every: int = 0,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> Timing:
        """One after another on one connection; `meanwhile` before each one of `every`."""
        client, spent, cpu = self._client(), [], self._cpu()
        for n in range(times):
            if every and n % every == 0:
                meanwhile()
            began = time.perf_counter()
            _answer(client, address, headers, status)
            spent.append(time.perf_counter() - began)
        cuts = quantiles(spent, n=20) if times > 1 else spent * 19
        return Timing(cuts[9], cuts[18], (self._cpu() - cpu) / times)

    def header(self, address: str, name: str) -> str:
        return fetch(self._installation.port, address)[0][name]

    def page_revision(self) -> str:
        html = fetch(self._installation.port, "/")[1].decode()
        found = re.search(r'data-revision="(\w+)"', html)
        if found is None:
            raise SystemExit("The page has no revision.")
        return found[1]

    def rate(self, address: str, requests: int, *, clients: int) -> float:
        """Requests a second."""
        share = requests // clients
        own = [self._client() for _ in range(clients)]

        def work(client: http.client.HTTPConnection) -> None:
            for _ in range(share):
                _answer(client, address, {}, 200)

        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(work, own))
        return share * clients / (time.perf_counter() - began)

    def _client(self) -> http.client.HTTPConnection:
        source = (next(self._addresses), 0)
        return http.client.HTTPConnection(
            "127.0.0.1", self._installation.port, timeout=30, source_address=source
        )

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._web.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def fetch(port: int, address: str, headers: Headers = {}) -> tuple[http.client.HTTPMessage, bytes]:  # noqa: B006
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", address, headers=dict(headers))
    answer = client.getresponse()
    return answer.headers, answer.read()


def _answer(client: http.client.HTTPConnection, address: str, headers: Headers, status: int) -> None:
    client.request("GET", address, headers=dict(headers))
    answer = client.getresponse()
    answer.read()
    if answer.status != status:
        raise SystemExit(f"{address}: HTTP {answer.status}, not {status}")


def _database_url() -> str:
    known: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    return urlunsplit(urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{known['NAME']}"))
