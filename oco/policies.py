"""Which policy applies to an instrument (its own, else the default; rule 3), and the fee rates as last charged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.translation import override

from exchange import schemas
from exchange.core.instrument_names import base_of, is_derivative
from exchange.core.reasons import reason
from exchange.fields import format_decimal
from exchange.models import AuditEntry, Trade
from exchange.services.audit_log import audit_record
from exchange.services.permissions import Right, require
from oco.engine.reason_codes import PolicyChange
from oco.models import ProtectionPolicy

DEFAULT_NAME = ""
SAMPLE_SIZE = 50
# Of the lowest tier (dossier 5.9), for an account that has not traded yet.
MAKER, TAKER = Decimal("0.0025"), Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies by side of the entry and instrument."""

    by_name: dict[tuple[str, str], ProtectionPolicy]

    def of(self, instrument_name: str, side: str = ProtectionPolicy.Side.BUY) -> ProtectionPolicy:
        return self.by_name.get((side, instrument_name)) or self.by_name[side, DEFAULT_NAME]

    def own(self, side: str) -> set[str]:
        """The instruments that have a policy of their own."""
        return {name for each, name in self.by_name if each == side} - {DEFAULT_NAME}


def policies_read() -> Policies:
    """The current policies. The first call creates the default ones from the settings."""
    rows = {(row.side, row.instrument_name): row for row in ProtectionPolicy.objects.all()}
    for side in ProtectionPolicy.Side.values:
        if (side, DEFAULT_NAME) not in rows:
            rows[side, DEFAULT_NAME] = policy_create_default(side=side)
    return Policies(rows)


def policy_for(instrument_name: str, side: str = ProtectionPolicy.Side.BUY) -> ProtectionPolicy:
    return policies_read().of(instrument_name, side)


def policy_create_default(*, side: str) -> ProtectionPolicy:
    """STOP_LOSS_PCT and TAKE_PROFIT_PCT are its first values; later the admin decides. Off for sales (rule 4)."""
    policy, _ = ProtectionPolicy.objects.get_or_create(
        instrument_name=DEFAULT_NAME,
        side=side,
        defaults={
            "enabled": side == ProtectionPolicy.Side.BUY,
            "stop_pct": settings.STOP_LOSS_PCT,
            "target_pct": settings.TAKE_PROFIT_PCT,
        },
    )
    return policy


def needs_mark(trade: schemas.Trade) -> bool:
    """Whether the fill is about to be protected, unless its policy is off: its mark price is requested in advance."""
    name = trade.instrument_name
    is_purchase = trade.side == "BUY" and not is_derivative(name)
    return settings.AUTO_PROTECT and is_purchase and base_of(name) not in settings.CASH_CURRENCIES


def policy_audit(*, policy: ProtectionPolicy, changed_by: str, changed: Sequence[str] | None) -> None:
    """Say in the audit log which fields a person changed, and to what; None: the policy was removed.

    In the same transaction as the change. Raises PermissionDenied.
    """
    require(Right.MANAGE)
    with override(None):  # the labels as they are in the catalogue
        labels = {
            field.name: str(field.verbose_name)
            for field in policy._meta.fields
            if field.name in (changed or ())
        }
    changes = {label: _text(getattr(policy, name)) for name, label in labels.items()}
    code = PolicyChange.POLICY_CHANGED if changes else PolicyChange.POLICY_SAVED
    why = reason(
        PolicyChange.POLICY_REMOVED if changed is None else code,
        instrument=policy.instrument_name,
        side=policy.side,
        changes=changes,
    )
    audit_record(actor=changed_by, what=AuditEntry.Action.POLICY, object_ids=[policy.pk], reason=why)


def _text(value: object) -> str:
    return format_decimal(value) if isinstance(value, Decimal) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """As shares of the value. `is_known`: both were charged in our own trades."""

    maker: Decimal = MAKER
    taker: Decimal = TAKER
    is_known: bool = False


def fee_rates() -> FeeRates:
    """From the newest trades, in one bounded query. A fee in a third currency is ignored."""
    newest = Trade.objects.order_by("-create_time_ns", "-id")
    columns = ("instrument_name", "taker_side", "quantity", "price", "fee", "fee_currency")
    return rates_of(newest.only(*columns)[:SAMPLE_SIZE])


def rates_of(trades: Iterable[Trade]) -> FeeRates:
    """The first rate of maker and taker, newest first; a missing one is that of the lowest tier."""
    found: dict[str, Decimal] = {}
    for trade in trades:
        rate = _rate(trade)
        if rate is not None:
            found.setdefault(trade.taker_side, rate)
    return FeeRates(
        maker=found.get("MAKER", MAKER),
        taker=found.get("TAKER", TAKER),
        is_known={"MAKER", "TAKER"} <= found.keys(),
    )


def _rate(trade: Trade) -> Decimal | None:
    base, _, quote = trade.instrument_name.partition("_")
    traded = {base: trade.quantity, quote: trade.quantity * trade.price}.get(trade.fee_currency)
    return -trade.fee / traded if traded else None
