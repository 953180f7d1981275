"""Writes the audit log. A change and its entry belong in one transaction."""

from collections.abc import Iterable

from django.utils import timezone

from exchange.core.observability import from_address
from exchange.core.reasons import Reason
from exchange.models import AuditEntry
from exchange.models.audit import ACTOR_LENGTH

WRITTEN = "WRITTEN"  # in the database; the worker executes it


def audit_record(
    *,
    actor: str,
    what: AuditEntry.Action,
    object_ids: Iterable[object] = (),
    text: str = "",
    reason: Reason | None = None,
    result: str = WRITTEN,
    code: int | None = None,
) -> AuditEntry:
    """Record that `actor` did `what` to `object_ids` (empty ones are left out), with the current correlation id.

    `text` is the request, `reason` the outcome as data.
    """
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=actor[:ACTOR_LENGTH],
        from_address=from_address(),
        what=what,
        object_ids=[str(one) for one in object_ids if one],
        text=text,
        result=result,
        code=code,
        **(reason.columns if reason else {}),
    )
