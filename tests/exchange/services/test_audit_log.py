"""The audit log: added to, never changed, and as quiet as the account."""

import pytest
from django.db import IntegrityError, transaction

from exchange.core.observability import correlated
from exchange.models import AuditEntry
from exchange.models.audit import AppendOnlyError
from exchange.services.audit_log import audit_record

pytestmark = pytest.mark.django_db
Action = AuditEntry.Action


def entry(**changes):
    return audit_record(**{"actor": "ana", "what": Action.PROTECT, **changes})


def test_an_entry_says_who_from_where_what_and_what_came_of_it():
    with correlated("req-1", address="192.0.2.7"):
        entry(object_ids=["7", "", None, 8], text="0.01 BTC_USD", result="REFUSED", code=306)
    row = AuditEntry.objects.get()
    assert (row.actor, row.from_address, row.correlation_id) == ("ana", "192.0.2.7", "req-1")
    assert (row.object_ids, row.result, row.code) == (["7", "8"], "REFUSED", 306)
    assert str(row) == "ana requested protection: REFUSED"


def test_a_name_that_is_too_long_is_cut_and_not_lost():
    assert entry(actor="a" * 500).actor == "a" * 128


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: AuditEntry.objects.filter(pk=row.pk).update(actor="nobody"),
        lambda row: AuditEntry.objects.all().delete(),
    ],
)
def test_nothing_is_changed_or_taken_out(change):
    row = entry()
    with pytest.raises(AppendOnlyError):
        change(row)
    assert AuditEntry.objects.get().actor == "ana"


def test_a_new_entry_does_not_take_the_number_of_another():
    row = entry()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry(pk=row.pk, at=row.at, actor="nobody", what=Action.PROTECT, result="OK").save()
    assert AuditEntry.objects.get().actor == "ana"
