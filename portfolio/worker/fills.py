"""The short path from a fill on the user stream to its stop loss and take profit, without reading the account.

It needs a stream that has been live, unbroken, since before the last complete cycle, and that cycle to be recent:
what the cycle stored and what the stream said since then are the account (protection 5). Anything unusual is left
to a cycle.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.utils import timezone

from exchange.client.client import Client, PublicClient, client_from_settings
from exchange.client.errors import ExchangeError
from exchange.core.instrument_names import USD, quote_of
from exchange.core.observability import correlated, new_correlation_id
from exchange.core.times import from_ms, to_ms
from exchange.models import AccountBinding, Quote, SyncRun
from exchange.schemas import Order, Ticker, Trade
from exchange.selectors import runs_finished
from exchange.services.lease import Lease, LeaseLost, lease_take_soon
from exchange.stream.recent import RecentMessages
from exchange.sync.orders import order_store, prepare_order_changes
from exchange.sync.trades import prepare_trades, trade_store
from oco.engine.types import PriceSample
from oco.policies import needs_mark
from oco.reconcile.context import CycleContext, ReadResult, cycle_context_build, order_key
from oco.reconcile.fills import LeftToCycle, PlannedOrder, fills_confirm, fills_protect
from portfolio.models import Balance

log = logging.getLogger("exchange_sync")

FILL_PURPOSE = "fill"
MAX_CYCLE_AGE = timedelta(seconds=90)
MAX_FILL_AGE = timedelta(seconds=5)  # its price counts as fresh for so long
LEASE_WAIT_S, LEASE_STEP_S = 5.0, 0.02  # a running cycle takes about a second
TICKER_WAIT_S = 1.0
BALANCE_WAIT_S = 0.5  # the balance comes with a message of its own
SAME_MOMENT = timedelta(milliseconds=100)  # in which the messages of one purchase come, in any order
CONFIRM_WAIT_S = 2.0
STEP_S = 0.02

Receive = Callable[[float], bool]
"""Take what the stream brings within so many seconds into the recent messages; whether anything came."""


class FillProtection:
    """Used by the thread that consumes the stream; keeps its connection to the exchange open between fills."""

    def __init__(
        self,
        recent: RecentMessages,
        receive: Receive,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recent, self._receive, self._monotonic = recent, receive, monotonic
        self._client: Client | None = None
        self._lease: Lease | None = None

    def protect(self, fills: Sequence[Trade]) -> bool:
        """Protect those of these new fills that are purchases; whether nothing of them is left to a cycle."""
        purchases = [fill for fill in fills if needs_mark(fill)]
        if not purchases:
            return False
        with correlated(new_correlation_id("fill")):
            try:
                covered = self._protect(purchases)
            except LeftToCycle:
                log.info("User stream: a fill is left to a cycle: %s", _names(purchases))
                return False
            except (ExchangeError, LeaseLost) as error:
                log.warning("User stream: a fill is left to a cycle: %s", error)
                return False
            except Exception:
                log.exception("User stream: a fill is left to a cycle after an unexpected error")
                return False
        return covered and len(purchases) == len(fills)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _protect(self, purchases: Sequence[Trade]) -> bool:
        client = self._client = self._client or client_from_settings(before_request=self._before_request)
        tickers = {
            name: client.start_read("public/get-tickers", partial(PublicClient.tickers, instrument_name=name))
            for name in sorted({fill.instrument_name for fill in purchases})
        }
        lease = self._lease = self._take_lease()
        try:
            client.assume_idle(lease.idle_ms)
            return self._protect_with(client, lease, purchases, tickers)
        finally:
            self._lease = None
            lease.release()

    def _before_request(self, method: str) -> None:
        """Public reads are requested before there is a lease, and need none."""
        if self._lease is not None:
            self._lease.before_request(method)

    def _take_lease(self) -> Lease:
        """A cycle may be running: it is over soon, and may have seen the fill or not."""
        lease = lease_take_soon(purpose=FILL_PURPOSE, seconds=LEASE_WAIT_S, step_s=LEASE_STEP_S)
        if lease is None:
            raise LeftToCycle
        return lease

    def _protect_with(
        self,
        client: Client,
        lease: Lease,
        purchases: Sequence[Trade],
        reads: Mapping[str, Future[list[Ticker]]],
    ) -> bool:
        now = timezone.now()
        offset_ms = _trusted_offset_ms(now)
        if self._recent.is_doubtful:
            raise LeftToCycle
        tickers = {name: _ticker(name, read) for name, read in reads.items()}
        self._wait_for_balance(purchases)
        context = self._context(client, lease, tickers, now, offset_ms)
        planned = fills_protect(
            context=context,
            trade_ids=[fill.trade_id for fill in purchases],
            samples=_samples(purchases, tickers, context),
            store=self._store,
        )
        covered = fills_confirm(context=context, planned=planned, reported=self._reports_of(planned))
        for group in covered:
            log.info("User stream: protected %s %s", group.quantity, group.instrument_name)
        return len(covered) == len(planned)

    def _wait_for_balance(self, purchases: Sequence[Trade]) -> None:
        """Until it came with the fills or after them; whether it shows all coins is checked afterwards."""
        until = self._monotonic() + BALANCE_WAIT_S
        names = {fill.trade_id for fill in purchases}
        while not self._recent.has_balance_of(names, within=SAME_MOMENT) and self._monotonic() < until:
            self._receive(STEP_S)

    def _context(
        self, client: Client, lease: Lease, tickers: Mapping[str, Ticker], now: datetime, offset_ms: int
    ) -> CycleContext:
        holdings = dict(Balance.objects.values_list("currency", "quantity"))
        if self._recent.balance is not None:
            holdings |= {row.instrument_name: row.quantity for row in self._recent.balance.positions}
        reported = self._recent.orders
        reads = ReadResult(
            started_ns=to_ms(now + timedelta(milliseconds=offset_ms)) * 1_000_000,
            started_at=now,
            histories_read=False,
            holdings=holdings,
            open_keys=frozenset(order_key(order) for order in reported),
            reports=reported,
            tickers={**rates_stored(tickers, now=now), **tickers},
        )
        return cycle_context_build(
            client=client, lease=lease, reads=reads, clock=timezone.now, offset_ms=offset_ms
        )

    def _store(self) -> None:
        """What the stream said since the last complete cycle. A contradiction of what is stored is not settled here."""
        now = timezone.now()
        changes = prepare_order_changes(orders=self._recent.orders, now=now)
        if any(row.disputed_since for row in changes.rows.values()):
            raise LeftToCycle
        rows, disputes = prepare_trades(trades=self._recent.trades, now=now)
        if disputes.changed or disputes.doubts:
            raise LeftToCycle
        order_store(changes=changes)
        trade_store(rows=rows)

    def _reports_of(self, planned: Sequence[PlannedOrder]) -> list[Order]:
        """What the stream says of the orders that were sent, once it has named all of them or had time to."""
        names = {leg.client_oid for each in planned for leg in each.legs}
        until = self._monotonic() + CONFIRM_WAIT_S
        while True:
            found = [order for order in self._recent.orders if order.client_oid in names]
            if {order.client_oid for order in found} == names or self._monotonic() > until:
                return found
            self._receive(STEP_S)


def _trusted_offset_ms(now: datetime) -> int:
    """The exchange's clock minus ours, from the newest cycle. Raises LeftToCycle unless that was complete, recent, and
    of the account of this key.
    """
    run = runs_finished().first()
    if run is None or run.status != SyncRun.Status.OK or now - run.started_at > MAX_CYCLE_AGE:
        raise LeftToCycle
    bound = AccountBinding.objects.filter(
        environment=settings.ENVIRONMENT, key_tail=settings.CRYPTO_COM_API_KEY[-4:]
    )
    if not bound.exists():
        raise LeftToCycle
    return run.clock_offset_ms or 0


def _ticker(name: str, read: Future[list[Ticker]]) -> Ticker:
    """Bid and ask, without which a stop might be placed within the spread (rule 3)."""
    try:
        rows = read.result(TICKER_WAIT_S)
    except TimeoutError:
        raise LeftToCycle from None
    found = next((row for row in rows if row.instrument_name == name), None)
    if found is None or found.bid is None or found.ask is None:
        raise LeftToCycle
    return found


def rates_stored(names: Iterable[str], *, now: datetime) -> dict[str, Ticker]:
    """What one unit of each quote currency of these instruments is worth in US dollars, where it was read lately. As
    tickers without a time: no price to act on.
    """
    wanted = {f"{quote_of(name)}_{USD}" for name in names} - {f"{USD}_{USD}"}
    rows = Quote.objects.filter(instrument_name__in=wanted, read_at__gt=now - MAX_CYCLE_AGE) if wanted else ()
    return {
        row.instrument_name: Ticker(instrument_name=row.instrument_name, time_ms=0, last=row.price)
        for row in rows
        if row.price is not None
    }


def _samples(
    purchases: Sequence[Trade], tickers: Mapping[str, Ticker], context: CycleContext
) -> dict[str, PriceSample]:
    """The price of the newest fill of each instrument, with the best prices around it."""
    newest = {fill.instrument_name: fill for fill in sorted(purchases, key=lambda one: one.create_time_ns)}
    if any(context.now() - from_ms(fill.create_time_ms) > MAX_FILL_AGE for fill in newest.values()):
        raise LeftToCycle
    return {
        name: PriceSample(
            at=context.now(),
            mark=_lowest(fill.price, tickers[name].last),
            published=None,
            bid=tickers[name].bid,
            ask=tickers[name].ask,
        )
        for name, fill in newest.items()
    }


def _lowest(price: Decimal, last: Decimal | None) -> Decimal:
    return price if last is None else min(price, last)


def _names(fills: Sequence[Trade]) -> str:
    return ", ".join(sorted({fill.instrument_name for fill in fills}))
