"""What an order form has to know of the account and the market."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.utils import timezone

from exchange.models import Instrument
from oco.engine.pricing import Grid, round_down
from oco.policies import fee_rates, policy_for
from oco.presentation.previews import Holdings, unclaimed
from oco.presentation.risk_reward import Terms
from oco.services.validation import Standing
from portfolio.dashboard.selectors import usd_prices
from portfolio.models import Balance
from portfolio.views.protection.gate import why_no_data


@dataclass(frozen=True)
class Account:
    """The balances as last read. Their prices are the exchange's own, of the same moment."""

    balances: tuple[Balance, ...]

    @cached_property
    def holdings(self) -> Holdings:
        held = {row.currency: row.quantity for row in self.balances}
        return Holdings(held=held, usd=usd_prices(self.balances), cash=settings.CASH_CURRENCIES)

    @cached_property
    def free(self) -> Holdings:
        """What belongs to no protection yet."""
        return unclaimed(self.holdings)

    @property
    def total_usd(self) -> Decimal:
        """Of what has a price."""
        values = (row.market_value_usd for row in self.balances)
        return sum((value for value in values if value is not None), Decimal())

    @property
    def read_at(self) -> datetime | None:
        return max((row.read_at for row in self.balances), default=None)

    def standing(self, instrument: Instrument, *, stale: str = "") -> Standing:
        return Standing(held=self.held(instrument.base_ccy), mark=self.mark(instrument), stale=stale)

    def held(self, currency: str) -> Decimal:
        return self.holdings.held.get(currency, Decimal())

    def mark(self, instrument: Instrument) -> Decimal | None:
        """In the quote currency, on the grid; None where it is not known."""
        base, quote = (self.holdings.usd.get(name) for name in (instrument.base_ccy, instrument.quote_ccy))
        return round_down(base / quote, instrument.price_tick_size) if base and quote else None


def account_now() -> Account:
    """One query, and one more when somebody asks what is free."""
    return Account(tuple(Balance.objects.all()))


def standing_of(instrument_name: str) -> Standing:
    """How the account and the price stand, for whoever asks without a form; of an unknown pair nothing is known."""
    stale = why_no_data(now=timezone.now())
    instrument = Instrument.objects.filter(symbol=instrument_name).first()
    if instrument is None:
        return Standing(held=Decimal(), mark=None, stale=stale)
    return account_now().standing(instrument, stale=stale)


def terms_of(instrument: Instrument, account: Account) -> Terms | None:
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
        grid=grid_of(instrument, quote_usd),
        maker=fees.maker,
        taker=fees.taker,
        distance_pct=policy_for(instrument.symbol).distance_pct,
        total_usd=account.total_usd,
    )


def grid_of(instrument: Instrument, quote_usd: Decimal | None) -> Grid:
    return Grid(
        price_tick=instrument.price_tick_size, quantity_tick=instrument.qty_tick_size, quote_usd=quote_usd
    )
