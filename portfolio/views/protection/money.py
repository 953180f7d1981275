"""The figures of a group at the prices of the account."""

from decimal import Decimal

from exchange.models import Instrument
from oco.presentation.group_detail import Story
from oco.presentation.risk_reward import Figures
from portfolio.accounting.pnl import coin_results
from portfolio.signals.watchlist import prices_fresh, quotes_of
from portfolio.views.protection.protection_account import Account


def figures_now(story: Story, account: Account) -> Figures:
    group, instrument = story.group, story.instrument
    quote_usd = account.holdings.usd.get(instrument.quote_ccy) if instrument else None
    return Figures(
        quantity=story.quantity,
        covered=story.covered or story.quantity,
        stop=group.stop_price,
        target=story.target,
        entry=group.entry_price,
        price=_price(story, instrument, account) if instrument else None,
        quote_usd=quote_usd,
        cost=_average(story, account, quote_usd),
        way=story.way,
        ceiling=story.ceiling,
    )


def _price(story: Story, instrument: Instrument, account: Account) -> Decimal | None:
    """Of a coin that is sold out no price stands beside the balance: then the last one of its pair."""
    mark = account.mark(instrument)
    if mark is not None or not story.buys_back or account.read_at is None:
        return mark
    return prices_fresh(quotes_of([instrument.symbol]).values(), at=account.read_at).get(instrument.symbol)


def _average(story: Story, account: Account, quote_usd: Decimal | None) -> Decimal | None:
    """Of all of that coin, in the quote currency, where there is no entry; nothing for a group that has ended."""
    if story.group.entry_price is not None or story.is_final or not quote_usd:
        return None
    currency = story.group.lot.base_ccy
    held = [row for row in account.balances if row.currency == currency]
    found = coin_results(held).get(currency)
    average = found.average_cost_usd if found else None
    return average / quote_usd if average is not None else None
