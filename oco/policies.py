"""Which policy applies to an instrument: its own, else the default (rule 3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from exchange.fields import plain
from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record
from oco.policy import ProtectionPolicy

EVERY_OTHER = ""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies, read at once, by side of the entry and instrument."""

    by_name: dict[tuple[str, str], ProtectionPolicy]

    def of(self, instrument_name: str, side: str = ProtectionPolicy.Side.BUY) -> ProtectionPolicy:
        return self.by_name.get((side, instrument_name)) or self.by_name[side, EVERY_OTHER]

    def own(self, side: str) -> set[str]:
        """The instruments that have a policy of their own."""
        return {name for each, name in self.by_name if each == side} - {EVERY_OTHER}


def policies_read() -> Policies:
    """The policies as they stand; the first time, the default ones are made from the settings."""
    rows = {(row.side, row.instrument_name): row for row in ProtectionPolicy.objects.all()}
    for side in ProtectionPolicy.Side.values:
        if (side, EVERY_OTHER) not in rows:
            rows[side, EVERY_OTHER] = policy_create_default(side=side)
    return Policies(rows)


def policy_for(instrument_name: str, side: str = ProtectionPolicy.Side.BUY) -> ProtectionPolicy:
    return policies_read().of(instrument_name, side)


def policy_note(*, policy: ProtectionPolicy, changed_by: str, changed: Sequence[str] | None) -> None:
    """Say in the audit log which fields a person changed, and to what; None: the policy was taken away."""
    words = ", ".join(f"{name} {_text(getattr(policy, name))}" for name in changed or ())
    text = f"{policy}: {'taken away' if changed is None else words or 'saved unchanged'}"
    audit_record(actor=changed_by, what=AuditEntry.What.POLICY, object_ids=[policy.pk], text=text)


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def policy_create_default(*, side: str) -> ProtectionPolicy:
    """STOP_LOSS_PCT and TAKE_PROFIT_PCT are its first values; afterwards the admin counts. Off for sales (rule 4)."""
    policy, _ = ProtectionPolicy.objects.get_or_create(
        instrument_name=EVERY_OTHER,
        side=side,
        defaults={
            "enabled": side == ProtectionPolicy.Side.BUY,
            "stop_pct": settings.STOP_LOSS_PCT,
            "target_pct": settings.TAKE_PROFIT_PCT,
        },
    )
    return policy
