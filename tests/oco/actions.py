"""Everything that can happen to a protected account, as short verbs: market, user, other programs, faults, kills.

What the exchange refuses has no effect, and impossible verbs do nothing, so any sequence of verbs is valid.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max

from exchange.core.times import EPOCH
from exchange.models import Instrument, Lease
from exchange.services.lease import LEASE_NAME
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import floor_to
from exchange.simulator.markets import recorded_catalogue
from exchange.simulator.models import Order
from exchange.simulator.settlement import available
from oco.engine.pricing import ExitSide
from oco.models import OcoGroup
from oco.policies import policy_for
from oco.services.groups import group_cancel, group_create
from oco.services.kill_switch import resume_trading, stop_trading
from oco.services.validation import AccountContext, NotPossible
from portfolio.models import Balance
from tests.oco.harness import PERPETUAL, PRICES, Harness, Interruption
from tests.oco.support import ours

D = Decimal
COINS = {"BTC": "BTC_USD", "ETH": "ETH_USD", "SHIB": "SHIB_USD"}
RECORDED = recorded_catalogue().markets
AMOUNT_STEP = D("1E-10")  # the smallest amount withdrawn
OWN = {"BTC": "0.5", "ETH": "10", "SHIB": "500000000"}


class AccountActions(Harness):
    """The account has dollars, and with `rich` also coins of the user's own, which are never protected.

    With `backs` manual sales are bought back.
    """

    def __init__(self, *, rich: bool = True, backs: bool = False, **behaviour: Any) -> None:
        super().__init__({"USD": 200_000, "USDT": 1000, **(OWN if rich else {})}, **behaviour)
        self.backs = backs
        if backs:
            self.policy("SELL", enabled=True, stop_pct=D(5), target_pct=D(10))
        self.cancelled_manually: set[str] = set()  # client ids of our orders that the user cancelled
        self.released_groups: set[Any] = set()  # groups that the user released
        self.withdrawn: dict[str, Decimal] = {}
        self.misread = False  # an answer to a read may have said otherwise than what is
        self.lied = False  # a purchase was reported with another quantity or price than it had
        self.forced = False  # coins were withdrawn although open orders reserve them
        self.late = False  # the exchange may process a request later than rule 6 allows

    @contextlib.contextmanager
    def _try(self) -> Iterator[None]:
        with contextlib.suppress(Refusal, ValueError, NotPossible, AssertionError, Balance.DoesNotExist):
            yield

    # what verbs can refer to

    def resting(self) -> list[Order]:
        return [order for order in ours(self.world) if order.is_open]

    def external_orders(self) -> list[Order]:
        mine = {id(order) for order in ours(self.world)}
        return [order for order in self.world.exchange.open_orders() if id(order) not in mine]

    def groups(self) -> list[OcoGroup]:
        return list(OcoGroup.objects.filter(closed_at=None).order_by("created_at", "pk"))

    @staticmethod
    def pick(found: list[Any], number: int) -> Any:
        return found[number % len(found)] if found else None

    def lots(self, symbol: str, dollars: str) -> str:
        """A quantity on the grid, worth about `dollars`."""
        quote = D(PRICES["BTC_USD"]) if symbol.endswith("_BTC") else D(1)
        return self.whole(symbol, D(dollars) / quote / self.world.price(symbol))

    def whole(self, symbol: str, quantity: Decimal) -> str:
        return f"{floor_to(quantity, self.world.exchange.instruments[symbol].lot):f}"

    def near(self, symbol: str, percent: str) -> str:
        tick = self.world.exchange.instruments[symbol].price_tick
        return f"{floor_to(self.world.price(symbol) * (1 + D(percent) / 100), tick):f}"

    # entries

    def buy(self, symbol: str, dollars: str, fee: str = "") -> None:
        with self._try():
            self.world.buy(
                symbol, self.lots(symbol, dollars), **({"fee_instrument_name": fee} if fee else {})
            )

    def spend(self, symbol: str, dollars: str) -> None:
        with self._try():
            requested = {"instrument_name": symbol, "side": "BUY", "type": "MARKET", "notional": dollars}
            self.world.send_manually("private/create-order", **requested)

    def bid(self, symbol: str, dollars: str) -> None:
        """A resting buy just below the market, which `fill` may fill in parts."""
        with self._try():
            self.world.buy(symbol, self.lots(symbol, dollars), self.near(symbol, "-0.2"))

    def dribble(self, symbol: str, times: int) -> None:
        """Purchases that are too small for an order of ours: one lot step each, less the fee in the coin."""
        step = self.world.exchange.instruments[symbol].lot
        for _ in range(times):
            with self._try():
                order = self.world.buy(symbol, self.lots(symbol, "30"), self.near(symbol, "-0.2"))
                self.world.fill(order, step)
                self.world.cancel(order)

    def false_fill(self, symbol: str, values: dict[str, str]) -> None:
        """The next answer reports purchases otherwise than they were, and it is plausible."""
        if self.backs:
            return  # buy-backs of ours are purchases as well
        self.lied = self.misread = True
        where = {"side": "BUY", "instrument_name": symbol}
        self.world.faults.add("lie", "private/get-trades", values=values, where=where, times=1)

    def fill(self, number: int, share: str) -> None:
        """Fill a share of any open order, ours or not."""
        order = self.pick(list(self.world.exchange.open_orders()), number)
        if order is None or order.notional is not None:
            return
        self._fill(order, share)

    def fill_ours(self, number: int, share: str) -> None:
        order = self.pick(self.resting(), number)
        if order is not None:
            self._fill(order, share)

    def _fill(self, order: Order, share: str) -> None:
        """A market order never rests: it fills completely, or a thin market ends it."""
        part = order.remaining * (D(share) if order.live_type == "LIMIT" else 1)
        with self._try():
            self.world.fill(order, D(self.whole(order.instrument_name, part)))

    # the market

    def move(self, symbol: str, percent: str) -> None:
        self.world.move(symbol, percent)

    def reach(self, number: int, role: str, beyond: str) -> None:
        """The market moves to a stop or take profit of ours, or `beyond` per cent past it."""
        group = self.pick(self.groups(), number)
        price = group and (group.stop_price if role == "stop" else group.take_profit_price)
        if price:
            sign = -1 if (role == "stop") == (group.lot.exit_side is ExitSide.SELL) else 1
            tick = self.world.exchange.instruments[group.instrument_name].price_tick
            self.world.set_price(group.instrument_name, floor_to(price * (1 + sign * D(beyond) / 100), tick))

    def mark_gap(self, symbol: str, ratio: str) -> None:
        self.world.set_mark_gap(symbol, ratio)

    def spread(self, symbol: str, ratio: str | None) -> None:
        self.world.set_spread(symbol, ratio)

    def coarser(self, symbol: str, field: str) -> None:
        """The tick or the lot of an instrument becomes ten times as large, at most a hundred times what it was."""
        known = D(RECORDED[symbol].row[field])
        now = D(self.world.prices.market(symbol).row[field])
        if now < known * 100:
            self.world.change_rules(symbol, **{field: f"{now * 10:f}"})

    def thin_market(self, symbol: str, dollars: str | None) -> None:
        self.world.set_liquidity(symbol, None if dollars is None else self.lots(symbol, dollars))

    # manual actions

    def cancel_leg(self, number: int) -> None:
        order = self.pick(self.resting(), number)
        if order is not None:
            self._mark(order)
            with self._try():
                self.world.cancel(order)

    def cancel_list(self, number: int) -> None:
        order = self.pick([order for order in self.resting() if order.list_id], number)
        if order is not None:
            self._mark(order)
            with self._try():
                self.world.send_manually("private/advanced/cancel-oco", list_id=order.list_id)

    def cancel_everything(self) -> None:
        for order in self.resting():
            self._mark(order)
        with self._try():
            self.world.send_manually("private/cancel-all-orders")
            self.world.send_manually("private/advanced/cancel-all-orders")

    def _mark(self, order: Order) -> None:
        same = [each for each in ours(self.world) if order.list_id and each.list_id == order.list_id]
        self.cancelled_manually |= {each.client_oid for each in (order, *same)}

    def sell(self, currency: str, share: str) -> None:
        """A market sell of a share of the available balance."""
        symbol, free = COINS[currency], self.free(currency)
        with self._try():
            self.world.sell(symbol, self.whole(symbol, free * D(share)))

    def free(self, currency: str) -> Decimal:
        return max(available(self.world.exchange, currency), D(0))

    def withdraw(self, currency: str, share: str, *, force: bool = False) -> None:
        maximum = self.world.balance(currency) if force else self.free(currency)
        amount = floor_to(maximum * D(share), AMOUNT_STEP)
        with self._try():
            self.world.withdraw(currency, amount, force=force)
            self.forced = self.forced or force
            self.withdrawn[currency] = self.withdrawn.get(currency, D(0)) + amount

    def deposit(self, currency: str, dollars: str) -> None:
        self.world.deposit(currency, self.lots(COINS[currency], dollars))

    def perpetual(self, quantity: str) -> None:
        """A derivative position: opened, turned around, closed."""
        self.world.control("position", instrument_name=PERPETUAL, quantity=quantity, entry_price="60000")

    # other programs

    def external_limit(self, currency: str, share: str) -> None:
        symbol = COINS[currency]
        with self._try():
            self.world.sell(
                symbol, self.whole(symbol, self.free(currency) * D(share)), self.near(symbol, "40")
            )

    def external_stop(self, currency: str, share: str) -> None:
        symbol = COINS[currency]
        with self._try():
            self.world.send_manually(
                "private/advanced/create-order",
                instrument_name=symbol,
                side="SELL",
                type="STOP_LOSS",
                quantity=self.whole(symbol, self.free(currency) * D(share)),
                ref_price=self.near(symbol, "-8"),
            )

    def external_pair(self, currency: str, share: str) -> None:
        symbol = COINS[currency]
        leg = {
            "instrument_name": symbol,
            "side": "SELL",
            "quantity": self.whole(symbol, self.free(currency) * D(share)),
        }
        legs = [
            leg | {"type": "LIMIT", "price": self.near(symbol, "30")},
            leg | {"type": "STOP_LOSS", "ref_price": self.near(symbol, "-9")},
        ]
        with self._try():
            self.world.send_manually("private/advanced/create-oco", order_list=legs)

    def external_cancel(self, number: int) -> None:
        order = self.pick(self.external_orders(), number)
        if order is not None:
            with self._try():
                self.world.cancel(order)

    # the user in the program

    def release(self, number: int) -> None:
        group = self.pick(self.groups(), number)
        if group is not None:
            with self._try():
                group_cancel(group_id=group.pk, requested_by="alice", now=self.now())
                self.released_groups.add(group.pk)

    def protect(self, currency: str, dollars: str) -> None:
        symbol = COINS[currency]
        with self._try():
            group_create(
                instrument_name=symbol,
                quantity=D(self.lots(symbol, dollars)),
                stop_price=D(self.near(symbol, "-6")),
                take_profit_price=D(self.near(symbol, "12")),
                requested_by="alice",
                now=self.now(),
                account_context=AccountContext(
                    held=Balance.objects.get(currency=currency).quantity, mark=self.world.price(symbol)
                ),
            )

    def switch(self, *, off: bool) -> None:
        (stop_trading if off else resume_trading)(changed_by="alice", now=self.now())

    def policy(self, side: str = "BUY", **changes: Any) -> None:
        row = policy_for("", side)
        for name, value in changes.items():
            setattr(row, name, value)
        row.save()

    # faults

    def add_fault(self, kind: str, method: str = "*", **detail: Any) -> None:
        self.misread = self.misread or kind in ("lie", "missing_fields", "unknown_status")
        self.late = self.late or (kind == "process_later" and detail["seconds"] >= 10)
        self.world.faults.add(kind, method, **detail)

    def clear_faults(self) -> None:
        self.world.faults.clear()

    def hide(self, number: int, seconds: int) -> None:
        order = self.pick(self.resting(), number)
        if order is not None:
            self.world.hide(order, seconds)

    def skew(self, seconds: float) -> None:
        """The program's own clock is wrong by `seconds`."""
        self.skew_s = seconds

    # workers

    def killed(self, kind: str, nth: int, seconds: float = 60) -> None:
        """A cycle that is killed there; no other may start before its lease has expired."""
        self.sync(seconds, Interruption(kind, nth, self.die))

    def suspended(self, kind: str, nth: int, seconds: float = 60) -> None:
        """A cycle that is suspended there for two minutes while another worker takes over."""
        self.sync(seconds, Interruption(kind, nth, self.suspend))

    def second_worker(self, kind: str, nth: int, seconds: float = 60) -> None:
        """A second worker starts at that moment; it must find the lease taken."""
        self.sync(seconds, Interruption(kind, nth, self._start_second))

    def _start_second(self) -> None:
        """It waits for the lease holder; it may only run once the lease has expired.

        The lease also ages with real time: what this takes is allowed for, and one second.
        """
        began, left = time.monotonic(), Lease.objects.get(name=LEASE_NAME).expires_at - datetime.now(UTC)
        expires_at = self.now() + left - timedelta(seconds=1)
        run = self.cycle()
        if run is not None and run.started_at + timedelta(seconds=time.monotonic() - began) < expires_at:
            self.violations.append("Two cycles ran at once.")

    def during(self, kind: str, nth: int, verb: str, *args: Any, seconds: float = 60) -> None:
        """Another verb happens in the middle of a cycle, and the stream tells of it."""
        self.sync(seconds, Interruption(kind, nth, lambda: self._act(verb, *args)))

    def _act(self, verb: str, *args: Any) -> None:
        getattr(self, verb)(*args)
        self.listen()

    def awake(self, how: str, kind: str, nth: int, *act: Any) -> None:
        """What the stream wakes is killed at that moment, suspended, meets a second worker, or another verb happens."""
        acts = {"killed": self.die, "suspended": self.suspend, "second_worker": self._start_second}
        self.armed = Interruption(kind, nth, acts.get(how) or (lambda: self._act(*act)))

    # the stream

    def stream_fault(self, kind: str, topic: str = "*", **detail: Any) -> None:
        self.world.control("stream_faults", kind=kind, method=topic, **detail)

    def stream_drop(self, code: int | None) -> None:
        """The exchange closes the connection, or it breaks."""
        self.feed.drop(code)

    def stream_unreachable(self, *, yes: bool) -> None:
        """From now on nobody answers at the stream's address; or somebody does again."""
        self.feed.is_unreachable = yes
        if yes:
            self.feed.drop(None)

    def clear_stream_faults(self) -> None:
        self.world.control("stream_faults", clear=True)

    # the end

    def recover(self) -> None:
        """End all faults; nothing else happens afterwards. External orders stay."""
        self.clear_faults()
        self.clear_stream_faults()
        self.stream_unreachable(yes=False)
        self.armed = None
        self.skew(0)
        self.switch(off=False)
        self.world.exchange.liquidity.clear()
        for order in self.world.exchange.all_orders():
            order.hidden_until_ms = 0
        for symbol in PRICES:
            self.world.set_mark_gap(symbol, 0)
            self.world.set_spread(symbol, None)
        Instrument.objects.update(read_at=EPOCH)  # the catalogue is due
        for group in OcoGroup.objects.filter(closed_at=None):  # the waits before another pair begin again
            refused = group.legs.filter(refused_code__isnull=False).aggregate(at=Max("sent_at"))["at"]
            OcoGroup.objects.filter(pk=group.pk).update(created_at=refused or group.created_at)
        self.tick(60)
