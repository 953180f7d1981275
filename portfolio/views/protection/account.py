"""What the order forms need of account and market, and whether they may be used now."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.utils import timezone

from exchange.models import Instrument
from oco.engine.pricing import Grid, round_down
from oco.policies import fee_rates, policy_for
from oco.presentation.group_detail import GroupDetail
from oco.presentation.previews import Holdings, unallocated
from oco.presentation.risk_reward import RiskReward, Terms
from oco.services.validation import AccountContext
from portfolio.accounting.pnl import coin_results
from portfolio.dashboard.selectors import usd_prices
from portfolio.models import Balance
from portfolio.signals.watchlist import fresh_prices, load_quotes
from portfolio.status.sync_status import load_last_modified, sync_state
from portfolio.status.trading_mode import current_trading, orders_blocked_reason, stale_reason


@dataclass(frozen=True)
class Account:
    """Balances as last read, with the exchange's own prices of the same moment."""

    balances: tuple[Balance, ...]

    @cached_property
    def holdings(self) -> Holdings:
        held = {row.currency: row.quantity for row in self.balances}
        return Holdings(held=held, usd=usd_prices(self.balances), cash=settings.CASH_CURRENCIES)

    @cached_property
    def free(self) -> Holdings:
        """The quantity that is in no group yet."""
        return unallocated(self.holdings)

    @property
    def total_usd(self) -> Decimal:
        """Of all that has a price."""
        values = (row.market_value_usd for row in self.balances)
        return sum((value for value in values if value is not None), Decimal())

    @property
    def read_at(self) -> datetime | None:
        return max((row.read_at for row in self.balances), default=None)

    def account_context(self, instrument: Instrument) -> AccountContext:
        return AccountContext(held=self.quantity_held(instrument.base_ccy), mark=self.mark(instrument))

    def quantity_held(self, currency: str) -> Decimal:
        return self.holdings.held.get(currency, Decimal())

    def mark(self, instrument: Instrument) -> Decimal | None:
        """In the quote currency, on the tick grid; None when unknown."""
        base, quote = (self.holdings.usd.get(name) for name in (instrument.base_ccy, instrument.quote_ccy))
        return round_down(base / quote, instrument.price_tick_size) if base and quote else None


def stale_data_reason(*, now: datetime) -> str:
    """Why the data is too old to place orders; empty when it is fresh. One query."""
    return stale_reason(sync_state(now=now))


def load_account() -> Account:
    """One query, and one more for the available quantity."""
    return Account(tuple(Balance.objects.all()))


def load_account_context(instrument_name: str) -> AccountContext:
    """Balance and price of an instrument, without a form, and why no order can be placed now, as the pages say it.

    Empty for an unknown pair.
    """
    now, last_modified = timezone.now(), load_last_modified()
    instrument = Instrument.objects.filter(symbol=instrument_name).first()
    context = AccountContext(held=Decimal(), mark=None)
    if instrument is not None:
        context = load_account().account_context(instrument)
    return replace(
        context,
        stale=stale_reason(sync_state(now=now, last_modified=last_modified)),
        blocked=orders_blocked_reason(trading=current_trading(), last_modified=last_modified, now=now),
    )


def build_terms(instrument: Instrument, account: Account) -> Terms | None:
    """The terms of a sale now; None while no price is known."""
    mark, quote_usd = account.mark(instrument), account.holdings.usd.get(instrument.quote_ccy)
    if not mark or not quote_usd:
        return None
    fees = fee_rates()
    return Terms(
        instrument_name=instrument.symbol,
        base=instrument.base_ccy,
        quote=instrument.quote_ccy,
        mark=mark,
        quote_usd=quote_usd,
        grid=Grid.of(instrument, quote_usd),
        maker=fees.maker,
        taker=fees.taker,
        distance_pct=policy_for(instrument.symbol).distance_pct,
        total_usd=account.total_usd,
    )


def load_figures(detail: GroupDetail, account: Account) -> RiskReward:
    group, instrument = detail.group, detail.instrument
    quote_usd = account.holdings.usd.get(instrument.quote_ccy) if instrument else None
    return RiskReward(
        quantity=detail.quantity,
        covered=detail.covered or detail.quantity,
        stop=detail.stop,
        target=detail.target,
        entry=group.entry_price,
        price=_price(detail, instrument, account) if instrument else None,
        quote_usd=quote_usd,
        cost=_average_cost(detail, account, quote_usd),
        exit_side=detail.exit_side,
        max_buy_price=detail.max_buy_price,
    )


def _price(detail: GroupDetail, instrument: Instrument, account: Account) -> Decimal | None:
    # The balance has no price of a coin that is sold out: then the last price of its pair.
    mark = account.mark(instrument)
    if mark is not None or not detail.buys_back or account.read_at is None:
        return mark
    return fresh_prices(load_quotes([instrument.symbol]).values(), at=account.read_at).get(instrument.symbol)


def _average_cost(detail: GroupDetail, account: Account, quote_usd: Decimal | None) -> Decimal | None:
    # Of all of that coin, in the quote currency, where there is no entry; None for a closed group.
    if detail.group.entry_price is not None or detail.is_final or not quote_usd:
        return None
    currency = detail.group.lot.base_ccy
    held = [row for row in account.balances if row.currency == currency]
    found = coin_results(held).get(currency)
    average = found.average_cost_usd if found else None
    return average / quote_usd if average is not None else None
