"""How much of its coins each lot may sell, or buy back, now, and who shrinks (rules 2 and 10)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from exchange.models import Instrument
from oco.engine.allocation import Committed, Share, share_out
from oco.engine.pricing import Way, whole_lots
from oco.external_orders import foreign_read
from oco.models import Lot, OcoLeg
from oco.reconcile.context import Watch
from oco.reconcile.journal import group_note

ZERO = Decimal(0)
APART = timedelta(seconds=10)
FINEST = Decimal("1E-18")  # of a pair that is not in the catalogue any more
SENT = (OcoLeg.Status.INTENT, OcoLeg.Status.SENT)
RESTING = (OcoLeg.Status.ACCEPTED, OcoLeg.Status.OPEN)


@dataclass(frozen=True, slots=True)
class Due:
    """What a lot may sell; `is_short` while one read only says that coins are missing."""

    allowed: Decimal
    is_short: bool
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """An open lot, what it owns on the grid, and its share."""

    lot: Lot
    owned: Decimal
    share: Share

    @property
    def is_whole(self) -> bool:
        return self.share.allowed == self.owned


def shares_read(*, watch: Watch) -> dict[int, Due]:
    """By lot. Without a believed balance nothing is known, and a lot is missing from the answer."""
    return {claim.lot.pk: _due(claim, watch.started) for claim in claims_read(watch=watch)}


def _due(claim: Claim, started: datetime) -> Due:
    since = claim.lot.short_since
    settled = claim.is_whole or (since is not None and started - since >= APART)
    return Due(claim.share.allowed, is_short=claim.share.missing > 0, is_settled=settled)


def claims_read(*, watch: Watch) -> list[Claim]:
    """Every open lot with its share; nothing when this cycle's reads do not tell (rule 11)."""
    held = watch.facts.holdings
    if held is None or not watch.facts.can_add:
        return []
    taken, found = foreign_read(), []
    for currency, owned in _by_currency().items():
        free = taken.get(currency, Committed()).total
        lots = [(lot.pk, amount * lot.unit) for lot, amount, _ in owned]
        shares = share_out(held=held.get(currency, ZERO), taken=free, lots=lots)
        found += [
            Claim(lot, amount, in_coins(shares[lot.pk], lot, amount, tick)) for lot, amount, tick in owned
        ]
    return found


def in_coins(share: Share, lot: Lot, owned: Decimal, tick: Decimal) -> Share:
    """The share of a lot in its coins; of one that buys back, as many as its share of the money pays for."""
    if lot.way is Way.SELLS:
        return share
    present = owned * lot.unit - share.missing
    return Share(
        allowed=whole_lots(share.allowed / lot.unit, tick),
        missing=owned - whole_lots(present / lot.unit, tick),
    )


def _by_currency() -> Mapping[str, list[tuple[Lot, Decimal, Decimal]]]:
    """Open lots by what their orders take, with what they own and its step, oldest first: what is missing is
    missing to the newest.
    """
    lots = list(Lot.objects.filter(closed_at=None).order_by("opened_at", "pk"))
    names = {lot.instrument_name for lot in lots}
    ticks = dict(Instrument.objects.filter(symbol__in=names).values_list("symbol", "qty_tick_size"))
    found: dict[str, list[tuple[Lot, Decimal, Decimal]]] = defaultdict(list)
    for lot in lots:
        tick = ticks.get(lot.instrument_name, FINEST)
        found[lot.claims].append((lot, whole_lots(lot.owned, tick), tick))
    return found


def lots_shrink(*, watch: Watch) -> None:
    """Rule 10, once a cycle: what two healthy reads at least 10 s apart miss is gone, unless a leg is unknown.

    The first read may have been overtaken by a fill of our own orders: when those sold anything since the
    last cycle, the count begins again.
    """
    claims = claims_read(watch=watch)
    doubtful = watch.sold | (_with_unknown_legs(watch) if claims else set())
    for claim in claims:
        if claim.is_whole:
            _remember(claim.lot, None, ZERO, watch)
        elif claim.lot.claims in doubtful or _is_news(claim):
            _remember(claim.lot, watch.started, claim.share.missing, watch)
        elif watch.started - (claim.lot.short_since or watch.started) >= APART:
            _believe(claim, min(claim.share.missing, claim.lot.short_missing), watch)


def _is_news(claim: Claim) -> bool:
    """Less than whole for the first time, or coins missing that were only locked before."""
    return claim.lot.short_since is None or (claim.share.missing > 0 and not claim.lot.short_missing)


def _remember(lot: Lot, since: datetime | None, missing: Decimal, watch: Watch) -> None:
    if (lot.short_since, lot.short_missing) == (since, missing):
        return
    lot.short_since, lot.short_missing = since, missing
    with transaction.atomic():
        watch.held.renew()
        lot.save(update_fields=["short_since", "short_missing"])


def _believe(claim: Claim, missing: Decimal, watch: Watch) -> None:
    """With the coins goes the dust beside them: what is short of a whole step is not there either."""
    if not missing:
        return
    lot = claim.lot
    missing += lot.owned - claim.owned
    lot.gone += missing
    lot.short_missing = ZERO
    words = f"{missing:f} {lot.base_ccy} left the account otherwise; the lot owns {lot.owned:f} now."
    if lot.way is Way.BUYS:
        words = f"The money for {missing:f} {lot.base_ccy} left the account otherwise; it buys {lot.owned:f} back now."
    with transaction.atomic():
        watch.held.renew()
        lot.save(update_fields=["gone", "short_missing"])
        for group in lot.groups.filter(closed_at=None):
            group_note(group=group, at=watch.now(), reason=words)


def _with_unknown_legs(watch: Watch) -> set[str]:
    """Currencies with an order whose fate is not known: unanswered, or not listed open although it has not ended."""
    legs = OcoLeg.objects.filter(status__in=(*SENT, *RESTING), group__closed_at=None)
    rows = legs.values_list(
        "status", "name_space", "order_id", "group__lot__base_ccy", "group__lot__quote_ccy"
    )
    return {quote or base for status, *key, base, quote in rows if is_unknown(status, tuple(key), watch)}


def is_unknown(status: str, key: tuple[str, ...], watch: Watch) -> bool:
    """Whether the fate of an order of ours is open: unanswered, or resting by our books and not seen to."""
    return status in SENT or (status in RESTING and key not in watch.seen)
