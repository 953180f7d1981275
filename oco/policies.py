"""Which policy applies to an instrument: its own, else the default (rule 3)."""

from dataclasses import dataclass

from django.conf import settings

from oco.models import ProtectionPolicy

EVERY_OTHER = ""


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of one side, read at once."""

    by_name: dict[str, ProtectionPolicy]

    def of(self, instrument_name: str) -> ProtectionPolicy:
        return self.by_name.get(instrument_name) or self.by_name[EVERY_OTHER]


def policies_read(side: str = ProtectionPolicy.Side.BUY) -> Policies:
    """The policies as they stand; the first time, the default one is made from the settings."""
    rows = {row.instrument_name: row for row in ProtectionPolicy.objects.filter(side=side)}
    if EVERY_OTHER not in rows:
        rows[EVERY_OTHER] = policy_create_default(side=side)
    return Policies(rows)


def policy_for(instrument_name: str, side: str = ProtectionPolicy.Side.BUY) -> ProtectionPolicy:
    return policies_read(side).of(instrument_name)


def policy_create_default(*, side: str) -> ProtectionPolicy:
    """STOP_LOSS_PCT and TAKE_PROFIT_PCT are its first values; afterwards the admin counts."""
    policy, _ = ProtectionPolicy.objects.get_or_create(
        instrument_name=EVERY_OTHER,
        side=side,
        defaults={"stop_pct": settings.STOP_LOSS_PCT, "target_pct": settings.TAKE_PROFIT_PCT},
    )
    return policy
