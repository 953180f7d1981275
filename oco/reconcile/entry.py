"""New trades that open an entry, by entry order; what never is one is put aside (rule 1, chapter 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from exchange.core.utils import ASKED, NS_PER_MS, chunks, to_ms
from exchange.models import ExchangeOrder, Instrument, Trade
from oco.engine.lots import Fill
from oco.engine.pricing import Grid, Way
from oco.models.policy import ProtectionPolicy
from oco.policies import Policies, policies_read
from oco.reconcile.prices import grid_of
from oco.reconcile.trade_ownership import Whose, sales_judge
from oco.reconcile.watch import Watch

SPOT, SELL = "CCY_PAIR", "SELL"
LONGEST_SALE = timedelta(days=1)  # an older sale, found late or too small so long, is not bought back


@dataclass(frozen=True, slots=True)
class Entry:
    """The trades of one entry order that no lot has yet."""

    order_id: str
    side: str
    instrument: Instrument
    grid: Grid
    policy: ProtectionPolicy
    trades: tuple[Fill, ...]

    @property
    def way(self) -> Way:
        return Way.after(self.side)


def entries_new(*, watch: Watch, since_ns: int) -> list[Entry]:
    """Executed buys of something that is not cash, and sales of it for cash where the policy buys back, by entry
    order; the evidence is what executed.
    """
    rows = list(Trade.objects.filter(is_new=True, create_time_ns__gte=since_ns))
    if not rows:
        return []
    known = Instrument.objects.in_bulk({row.instrument_name for row in rows}, field_name="symbol")
    policies = policies_read()
    found = _by_order(
        _sorted_out([row for row in rows if row.instrument_name in known], known, policies, watch)
    )
    return [_entry(key, trades, known, policies, watch) for key, trades in found.items()]


def _sorted_out(
    rows: Sequence[Trade], known: dict[str, Instrument], policies: Policies, watch: Watch
) -> list[Trade]:
    """Those that are entries. What never is one is not looked at again; an unclear sale is, next time."""
    fit = [row for row in rows if not _is_never(row, known[row.instrument_name], policies, watch)]
    whose = sales_judge(sales=[row for row in fit if row.side == SELL], watch=watch)
    for name in {row.instrument_name for row in fit if whose.get(row.trade_id) is Whose.NEVER_KNOWN}:
        watch.errors.append(f"{name}: a sale is not bought back, for the records do not tell whose it was.")
    fit = [row for row in fit if whose.get(row.trade_id) not in (Whose.OURS, Whose.NEVER_KNOWN)]
    never = {row.trade_id for row in rows} - {row.trade_id for row in fit}
    if never:
        with transaction.atomic():
            watch.held.renew()
            for part in chunks(sorted(never), ASKED):
                Trade.objects.filter(trade_id__in=part).update(is_new=False)
    return [row for row in fit if whose.get(row.trade_id) is not Whose.UNCLEAR]


def _by_order(rows: Sequence[Trade]) -> dict[tuple[str, str, str], list[Trade]]:
    names, found = _first_ids(rows), dict[tuple[str, str, str], list[Trade]]()
    for row in rows:
        key = names.get(row.order_id, row.order_id), row.instrument_name, row.side
        found.setdefault(key, []).append(row)
    return found


def _is_never(row: Trade, instrument: Instrument, policies: Policies, watch: Watch) -> bool:
    """Changing cash for cash is no entry, and perpetuals have no protection yet (chapter 1). A sale is one only
    for cash, and only if its policy was on when it executed, lately (rule 4).
    """
    cash = settings.CASH_CURRENCIES
    if instrument.inst_type != SPOT or instrument.base_ccy in cash:
        return True
    if row.side != SELL:
        return False
    since = policies.of(row.instrument_name, SELL).enabled_since
    if since is None or not settings.AUTO_PROTECT or instrument.quote_ccy not in cash:
        return True
    return row.create_time_ns < to_ms(max(since, watch.started - LONGEST_SALE)) * NS_PER_MS


def _entry(
    key: tuple[str, str, str],
    rows: Sequence[Trade],
    known: dict[str, Instrument],
    policies: Policies,
    watch: Watch,
) -> Entry:
    order_id, name, side = key
    grid = grid_of(known[name], watch.facts.tickers)
    policy, fills = policies.of(name, side), tuple(map(_fill, rows))
    return Entry(order_id, side, known[name], grid, policy, fills)


def _first_ids(rows: Sequence[Trade]) -> dict[str, str]:
    """A triggered order's fills may carry its second id: here it is named by the first (dossier 6.2)."""
    second, found = ExchangeOrder.objects.exclude(exchange_order_id=""), dict[str, str]()
    for part in chunks(sorted({row.order_id for row in rows}), ASKED):
        named = second.filter(exchange_order_id__in=part)
        found |= dict(named.values_list("exchange_order_id", "order_id"))
    return found


def _fill(row: Trade) -> Fill:
    return Fill(
        trade_id=row.trade_id,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
        at_ns=row.create_time_ns,
    )
