"""The program and a simulated exchange, interruptible at every request and before every database write.

Commits are real and the lease ages with the world's clock. So a killed process leaves exactly what it had
committed, and a suspended one loses its lease.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock
from uuid import UUID

import requests
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from exchange.client.client import Client
from exchange.client.ratelimit import Limiter
from exchange.core.times import NS_PER_DAY, from_ms
from exchange.models import Lease, SyncRun
from exchange.services.kill_switch_file import file_clear
from exchange.services.lease import LEASE_NAME
from exchange.simulator.adapter import SimulatorAdapter
from exchange.sync.backfill import backfill_is_due, history_slice
from oco.models import OcoGroup, OcoLeg
from portfolio.worker.runner import EXPECTED_ERRORS, STREAM_TRIGGER, narrow_run, sync_run
from tests.exchange.simulator.world import KEY, SECRET, World
from tests.oco.stream_feed import MAX_STEPS, StreamFeed, client_factories, token_of
from tests.scenario import small_catalogue

PRICES = {"BTC_USD": "60000", "ETH_USD": "3000", "SHIB_USD": "0.000004391", "ETH_BTC": "0.05"}
PERPETUAL = "BTCUSD-PERP"
NARROW_TASK, SUBSCRIBED_TASK = "portfolio.tasks.sync_stream", "portfolio.tasks.sync_subscribed"
WRITE_STATEMENTS = ("INSERT", "UPDATE", "DELETE")
APP_LABELS = ("exchange", "oco", "portfolio", "django_q")
ACCOUNT_AGE_NS = 10 * NS_PER_DAY  # keeps the order history short
NONCE_MAX_AGE_MS = 60_000  # the exchange refuses an older nonce (dossier 2.2)

T = TypeVar("T")


class Killed(BaseException):
    """kill -9: a BaseException, so that no code of ours catches it. Nothing is written afterwards."""


@dataclass
class Interruption:
    """At the `nth` moment of this kind (from 1) within a cycle, `act` happens.

    Kinds: lease (before it is renewed for a request), renewed (after that), send, answer, write.
    """

    kind: str
    nth: int
    act: Callable[[], None]


class Harness:
    """The program, the exchange and the connections between them. Violated rules are collected in `violations`.

    `stream`: off, on, or failing (only then verbs trouble it); `stream_options` are StreamOptions. `limited`: the
    exchange counts requests, and the client keeps its limits.
    """

    def __init__(
        self,
        balances: dict[str, Any],
        *,
        stream: str = "off",
        stream_options: dict[str, Any] | None = None,
        limited: bool = False,
        **behaviour: Any,
    ) -> None:
        clear_database()
        file_clear()
        self.world = World(balances, catalogue=small_catalogue([*PRICES, PERPETUAL]), **behaviour)
        for symbol, price in PRICES.items():
            self.world.set_price(symbol, price)
        self.requested: list[str] = []
        self.violations: list[str] = []
        self.skew_s = 0.0
        self.cycles: list[Interruption | None] = []
        self.dead = self.died = self._is_listening = False
        self._numbers = itertools.count(1)
        self._tick = self.world.tick
        self._rng = random.Random(1)
        self.feed = StreamFeed(self.world, now=self.now, now_ms=self.now_ms, rng=self._rng)
        self.stream, self.limited = stream, limited
        self.world.exchange.limits.enabled = limited
        self.armed: Interruption | None = None
        self.world.control("stream", options=stream_options or {})
        self._stack = ExitStack()
        self._patch()

    def _patch(self) -> None:
        world, enter = self.world, self._stack.enter_context
        world.tick = world.app.sleep = self.tick  # type: ignore[method-assign]
        enter(mock.patch("django.utils.timezone.now", self.now))
        for factory in client_factories():
            enter(mock.patch(factory, self.client))
        enter(self.feed.patched())
        enter(mock.patch("time.sleep", self.tick))
        enter(mock.patch("exchange.services.lease.seconds", world.seconds))
        clock = SimpleNamespace(monotonic=world.seconds, sleep=self.tick)  # whoever waits for the lease
        enter(mock.patch("exchange.services.lease.time", clock))
        enter(mock.patch("exchange.sync.store.RETENTION_NS", ACCOUNT_AGE_NS))
        enter(mock.patch.object(settings, "CRYPTO_COM_API_KEY", KEY))
        enter(mock.patch.object(settings, "CRYPTO_COM_SECRET_KEY", SECRET))
        enter(mock.patch.object(settings, "AUTO_PROTECT", True))
        enter(mock.patch.object(OcoGroup._meta.get_field("oco_group_id"), "default", self._uuid))
        enter(connection.execute_wrapper(self._execute))
        enter(collect_errors(self.violations))

    def close(self) -> None:
        self.feed.forget()
        self._stack.close()

    def _uuid(self) -> UUID:
        return UUID(int=next(self._numbers))

    # time

    def now(self) -> datetime:
        """The program's own clock, wrong by `skew_s`."""
        return from_ms(self.world.clock_ms) + timedelta(seconds=self.skew_s)

    def now_ms(self) -> int:
        return self.world.now_ms() + round(self.skew_s * 1000)

    def tick(self, seconds: float) -> None:
        """Time passes on the exchange, in the program, and for the lease."""
        self._tick(seconds)
        Lease.objects.update(expires_at=F("expires_at") - timedelta(seconds=seconds))

    # a worker

    def client(self, *, before_request: Callable[[str], None] = lambda _: None) -> Client:
        session = requests.Session()
        session.mount("http://simulator", CheckedAdapter(self, before_request))

        def before_each(method: str) -> None:
            self.checkpoint("lease")
            before_request(method)
            self.requested.append(method)
            self.checkpoint("renewed")

        return self.world.client(
            session=session,
            before_request=before_each,
            limiter=Limiter(self.world.now_ms, self.world.tick, enabled=self.limited),
            rng=random.Random(1),
            now_ms=self.now_ms,
        )

    def sync(self, seconds: float = 60, interruption: Interruption | None = None) -> SyncRun | None:
        """The next cycle, `seconds` later; None if the lease is taken or the process was killed."""
        self.tick(seconds)
        self.requested.clear()
        self.listen()
        return self.cycle(interruption)

    def history(self) -> None:
        """What the worker does between cycles: read older history."""
        with contextlib.suppress(*EXPECTED_ERRORS):
            if backfill_is_due():
                history_slice(seconds=3600, clock=self.now)

    def cycle(
        self, interruption: Interruption | None = None, trigger: str = "test", *, after_running: bool = False
    ) -> SyncRun | None:
        run = self.process(interruption, lambda: sync_run(trigger=trigger, after_running=after_running))
        self._expected(run)
        return run

    def process(self, interruption: Interruption | None, work: Callable[[], T]) -> T | None:
        """`work` in a process that the interruption may kill; None then."""
        self.cycles.append(interruption)
        self.died = False
        try:
            return work()
        except Killed:
            self.died = True
            return None
        finally:
            self.dead = False
            self.cycles.pop()

    def listen(self) -> None:
        """The worker takes what the stream has for it, and what it queues is done, unless the armed interruption comes.

        Within a cycle it only takes: what it queues waits for the lease.
        """
        if self.stream == "off" or self._is_listening:
            return
        self._is_listening, self.feed.is_in_cycle = True, bool(self.cycles)
        interruption = None if self.cycles else self.armed
        try:
            for _ in range(MAX_STEPS):
                if not self._hear(interruption):
                    break
        finally:
            self._is_listening = self.feed.is_in_cycle = False

    def _hear(self, interruption: Interruption | None) -> bool:
        """Whether something came, so that more may come."""
        has_come = bool(self.process(interruption, self.feed.step))
        if self.died:
            self.feed.forget()
            return False
        while self.feed.tasks and not self.cycles:
            self._run_task(interruption, *self.feed.tasks.pop(0))
            has_come = True
        return has_come

    def _run_task(self, interruption: Interruption | None, name: str, args: tuple[Any, ...]) -> None:
        """As the functions of `portfolio.tasks` do it: a narrow cycle, and a full one if that settles nothing."""
        if name == NARROW_TASK:
            ended = [(space, order_id) for space, order_id in (args[0] if args else ())]
            is_settled = self.process(interruption, lambda: narrow_run(ended=ended))
            if is_settled or self.died:
                return
        else:
            assert name == SUBSCRIBED_TASK, name
        self.cycle(interruption, STREAM_TRIGGER, after_running=True)

    def _expected(self, run: SyncRun | None) -> None:
        for error in run.errors if run else ():
            if "could not be processed" in error or "unexpected error" in error:
                self.violations.append(error)

    # interruptions

    def die(self) -> None:
        self.dead = True
        raise Killed

    def suspend(self) -> None:
        """Suspend this process for two minutes; another one takes the lease and runs a whole cycle."""
        self.tick(120)
        self.cycle()

    def checkpoint(self, kind: str) -> None:
        """The innermost cycle reaches a moment of this kind; run its interruption if it is due."""
        due = self.cycles[-1] if self.cycles else None
        if due is None or due.kind != kind:
            return
        due.nth -= 1
        if due.nth == 0:
            self.cycles[-1] = None
            due.act()

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        word = sql.split(None, 1)[0]
        if self.dead and word in (*WRITE_STATEMENTS, "SELECT"):
            raise Killed
        if word in WRITE_STATEMENTS and "exchange_lease" not in sql:
            self.checkpoint("write")
        return execute(sql, params, many, context)


class CheckedAdapter(SimulatorAdapter):
    """The connection of one worker: requests are checked against what is committed (rules 6 and 15)."""

    def __init__(self, harness: Harness, before_request: Callable[[str], None]) -> None:
        super().__init__(harness.world.app)
        self.harness, self.before_request = harness, before_request

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        method = str(request.url).partition("/exchange/v1/")[2]
        if connection.in_atomic_block:
            self.harness.violations.append(f"{method} was sent inside a transaction.")
        if "/create-" in method or "/cancel-" in method:
            body = json.loads(request.body or b"{}")
            self._check(method, body["params"], body["nonce"] - round(self.harness.skew_s * 1000))
        self.harness.checkpoint("send")
        answer = super().send(request, *args, **options)
        self.harness.checkpoint("answer")
        return answer

    def _check(self, method: str, params: dict[str, Any], nonce: int) -> None:
        if self.harness.world.now_ms() - nonce >= NONCE_MAX_AGE_MS:
            return  # the exchange refuses it
        if cycle_token() != token_of(self.before_request):
            self.harness.violations.append(f"{method} was sent without the lease.")
        if "/create-" in method:
            names = [order["client_oid"] for order in params.get("order_list", [params])]
            known = OcoLeg.objects.filter(client_oid__in=names, status="INTENT").count()
            if known != len(names):
                self.harness.violations.append(f"{method} was sent before its names were committed.")
        elif not self._is_ours(params, "advanced" if "/advanced/" in method else "plain"):
            self.harness.violations.append(f"{method} of an order that is not ours: {params}")

    def _is_ours(self, params: dict[str, Any], space: str) -> bool:
        by_name = {leg.client_oid for leg in OcoLeg.objects.all()}
        requested = {params.get("order_id"), params.get("list_id")} - {None}
        orders = [
            order
            for order in self.harness.world.exchange.all_orders()
            if {order.order_id, order.list_id} & requested and order.name_space == space
        ]
        return all(order.client_oid in by_name for order in orders)


def cycle_token() -> int:
    """Of the lease under which requests are sent."""
    return int(Lease.objects.values_list("token", flat=True).get(name=LEASE_NAME))


@contextmanager
def collect_errors(violations: list[str]) -> Iterator[None]:
    """Record every traceback that a cycle logs as a violation."""

    class ErrorCollector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                violations.append("".join(traceback.format_exception(*record.exc_info)[-12:]))

    logger, collector = logging.getLogger("exchange_sync"), ErrorCollector(level=logging.ERROR)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate


def clear_database() -> None:
    """Delete all rows in one transaction, because foreign keys are checked at its end."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")  # durability does not matter here
    with transaction.atomic(), connection.cursor() as cursor:
        for model in apps.get_models():
            if model._meta.app_label in APP_LABELS:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
