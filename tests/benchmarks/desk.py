"""The program beside a benchmark's exchange: its clients go there, unlimited, and the time they wait is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import requests

from exchange.client.client import BackgroundReads, Client
from exchange.client.ratelimit import Limiter
from exchange.client.transport import new_session
from exchange.models import SyncRun
from portfolio.worker.runner import sync_run
from tests.benchmarks.bench import Measurement, measure
from tests.benchmarks.market import KEY, SECRET

CLIENT_FACTORIES = (
    "portfolio.worker.runner.client_from_settings",
    "exchange.sync.backfill.client_from_settings",
)


class Waiting:
    """Seconds that clients have spent between sending a request and the head of its answer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.requests = 0

    def session(self) -> requests.Session:
        session = new_session()
        send = session.send

        def timed(*args: Any, **options: Any) -> requests.Response:
            began = time.perf_counter()
            self.requests += 1
            try:
                return send(*args, **options)
            finally:
                self.seconds += time.perf_counter() - began

        session.send = timed  # type: ignore[method-assign]
        return session


waiting = Waiting()


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Cycles and slices ask the exchange at `address`."""

    def client(*, before_request: Callable[[str], None] | None = None) -> Client:
        found = Client(
            f"{address}/exchange/v1",
            KEY,
            SECRET,
            session=waiting.session(),
            limiter=Limiter(lambda: 0, time.sleep, enabled=False),
            before_request=before_request,
        )
        found.background_reads = BackgroundReads.for_url(found.base_url)
        return found

    with mock.patch(CLIENT_FACTORIES[0], client), mock.patch(CLIENT_FACTORIES[1], client):
        yield


def cycle() -> tuple[SyncRun, Measurement]:
    """One complete cycle and what it took."""
    waited = waiting.seconds
    with measure() as spent:
        run = sync_run(trigger="benchmark")
    spent.waited = waiting.seconds - waited
    if run is None or run.status != SyncRun.Status.OK:
        raise SystemExit(f"The cycle failed: {run and run.errors}")
    return run, spent
