"""Writes the audit log. Whoever changes something and notes it here does both in one transaction."""

from collections.abc import Iterable

from django.utils import timezone

from exchange.core.observability import from_address
from exchange.models import AuditEntry
from exchange.models.audit import ACTOR_LENGTH

WRITTEN = "WRITTEN"  # in the database; the worker does the rest


def audit_record(
    *,
    actor: str,
    what: AuditEntry.Action,
    object_ids: Iterable[object] = (),
    text: str = "",
    result: str = WRITTEN,
    code: int | None = None,
) -> AuditEntry:
    """Note that `actor` did `what` to `object_ids` (empty ones are left out), under the name of the moment."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=actor[:ACTOR_LENGTH],
        from_address=from_address(),
        what=what,
        object_ids=[str(one) for one in object_ids if one],
        text=text,
        result=result,
        code=code,
    )
