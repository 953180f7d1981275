"""Every hand on the money leaves a line in the audit log, with the name of what began it."""

import pytest
from django.urls import reverse
from django.utils import translation

from exchange.models import AuditEntry, SyncRun
from oco.models import OcoEvent, OcoGroup, OcoLeg, ProtectionPolicy
from oco.presentation.reasons import render_reason
from portfolio.models import Alert
from tests.factories import BalanceFactory, InstrumentFactory


def entries():
    return list(AuditEntry.objects.order_by("id"))


def test_an_order_that_the_worker_sends_is_noted_with_the_answer(desk, held):
    (entry,) = entries()
    names = set(OcoLeg.objects.values_list("client_oid", flat=True))
    assert (entry.what, entry.result, entry.code) == ("PAIR_PLACE", "ACCEPTED", None)
    assert names < set(entry.object_ids)
    assert OcoGroup.objects.get().list_id in entry.object_ids
    assert entry.actor.startswith("cycle ")
    assert entry.text.startswith("SELL 0.01000 BTC_USD LIMIT ")


def test_a_refusal_is_noted_with_its_code(desk, world):
    desk.sync_ok()
    world.faults.add(kind="refuse", method="private/advanced/create-oco", code=306, status=500)
    world.buy("BTC_USD", "0.01")
    desk.sync()
    first = entries()[0]
    assert (first.result, first.code) == ("REFUSED", 306)
    assert (first.reason_code, first.stored_reason.exchange_code) == ("ORDER_REFUSED", 306)


def test_a_quiet_cycle_leaves_no_line(desk, held):
    before = len(entries())
    desk.sync_ok()
    assert len(entries()) == before


def test_one_name_leads_from_the_cycle_to_group_event_and_order(desk, held):
    run = SyncRun.objects.latest("id")
    name = f"run-{run.pk}"
    assert OcoGroup.objects.get().correlation_id == name
    assert set(OcoEvent.objects.values_list("correlation_id", flat=True)) == {name}
    assert [entry.correlation_id for entry in entries()] == [name]


def test_what_a_later_cycle_does_keeps_the_name_of_what_began_it(desk, world, held):
    world.move("BTC_USD", -6)
    desk.sync_ok()
    began = OcoGroup.objects.get().correlation_id
    assert OcoEvent.objects.latest("id").correlation_id == began


def test_the_alert_of_what_happened_has_the_name_too(desk, world, held):
    world.move("BTC_USD", -6)
    desk.sync_ok()
    alert = Alert.objects.get(kind=Alert.Kind.CLOSED)
    assert alert.correlation_id == OcoGroup.objects.get().correlation_id != ""


def test_one_name_leads_from_a_request_to_the_order_of_a_later_cycle(desk, world, alice):
    world.deposit("BTC", 1)
    desk.sync_ok()
    asked = {"instrument_name": "BTC_USD", "quantity": "0.5"}
    asked |= {"stop_price": "50000.00", "take_profit_price": "90000.00"}
    answer = alice.post("/api/oco-groups/", asked, content_type="application/json")
    assert answer.status_code == 202, answer.content
    name = answer["X-Request-ID"]
    desk.sync_ok()
    by_hand, sent = entries()[-2:]
    assert [by_hand.what, sent.what] == ["PROTECT", "PAIR_PLACE"]
    assert {by_hand.correlation_id, sent.correlation_id} == {name}
    assert by_hand.from_address == "127.0.0.1"
    assert sent.from_address == ""
    assert set(OcoEvent.objects.values_list("correlation_id", flat=True)) == {name}


def test_taking_protection_away_leaves_two_lines(desk, held, alice):
    group = OcoGroup.objects.get()
    alice.post(f"/api/oco-groups/{group.pk}/cancel/")
    desk.sync_ok()
    asked, sent = entries()[-2:]
    assert (asked.what, asked.object_ids) == ("CANCEL_PROTECTION", [str(group.pk)])
    assert (sent.what, sent.result) == ("PAIR_CANCEL", "ACCEPTED")
    assert asked.correlation_id != group.correlation_id


def test_the_switch_leaves_a_line_each_time(desk, run):
    run("kill_switch", "on")
    run("kill_switch", "off")
    assert [entry.what for entry in entries()] == ["SWITCH_OFF", "SWITCH_ON"]
    assert all("command line" in entry.actor for entry in entries())


def test_cancelling_everything_leaves_a_line_for_each_group_and_each_request(desk, held, run):
    run("kill_switch", "on", "--cancel-all", "--yes")
    kinds = [entry.what for entry in entries()]
    assert kinds[:3] == ["PAIR_PLACE", "SWITCH_OFF", "CANCEL_PROTECTION"]
    assert "CANCEL_ALL" in kinds
    (sent,) = [entry for entry in entries() if entry.what == "CANCEL_ALL"]
    assert sent.actor.startswith("kill_switch ")
    assert sent.correlation_id.startswith("cmd-")


@pytest.mark.django_db
def test_a_changed_policy_says_what_it_became(alice):
    InstrumentFactory()
    BalanceFactory()
    address = reverse("admin:oco_protectionpolicy_changelist")
    alice.get(address)
    policy = ProtectionPolicy.objects.get(side="BUY")
    form = alice.get(f"{address}{policy.pk}/change/").context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    values = {name: value for name, value in values.items() if value is not None and value is not False}
    answer = alice.post(f"{address}{policy.pk}/change/", values | {"stop_pct": "7.5"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    entry = entries()[-1]
    assert (entry.what, render_reason(entry.stored_reason)) == (
        "POLICY",
        "every other instrument: stop, in % 7.5.",
    )
    with translation.override("es"):
        assert render_reason(entry.stored_reason) == "los demás instrumentos: stop, en % 7.5."


def test_the_log_is_read_only_in_the_admin(desk, held, alice):
    address = reverse("admin:exchange_auditentry_changelist")
    page = alice.get(address).content.decode()
    assert "sent an OCO pair" in page
    assert alice.get(f"{address}add/").status_code == 403
    assert alice.post(f"{address}{entries()[0].pk}/delete/", {"post": "yes"}).status_code == 403
    assert "sent an OCO pair" in alice.get(address, {"q": entries()[0].correlation_id}).content.decode()
