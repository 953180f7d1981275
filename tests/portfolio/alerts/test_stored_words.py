"""What a cycle keeps of rows, gaps and warnings is a code, and is shown in the language of the reader."""

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone, translation

from exchange.client.errors import BadResponse, UnknownOutcome
from exchange.client.responses import UnreadableResponse, parse_envelope
from exchange.core.reasons import PROBLEM_TEXTS, Problem, SyncReason, problem, sentence_of, stored_sentence
from exchange.error_texts import ERROR_TEXTS, render_errors
from exchange.models import HistoryGap, SyncRun, UnreadableRow
from exchange.schemas import NameSpace
from exchange.services.runs import WrongAccount, account_bind, account_check_is_due
from exchange.sync.pagination import Gap
from exchange.sync.store import gap_record_all
from exchange.sync.unreadable import unreadable_record_all
from oco.models import OcoLeg
from oco.presentation.reasons import render_stored
from portfolio.alerts.system_checks import check_system
from portfolio.alerts.texts import alert_text
from portfolio.models import Alert
from portfolio.worker import runner
from tests.exchange.client.test_unreadable_rows import BAD, GOOD
from tests.exchange.replay import Replay, client_of, rows
from tests.factories import HistoryGapFactory, LegFactory, SyncRunFactory, UnreadableRowFactory

pytestmark = pytest.mark.django_db
UNUSABLE = "field cumulative_quantity is not a usable number"
UNUSABLE_ES = "el campo cumulative_quantity no es un número utilizable"


def spanish(errors):
    with translation.override("es"):
        return " ".join(render_errors(errors, [stored_sentence(error) for error in errors]))


def refused_rows():
    client = client_of(Replay(rows(GOOD, BAD)))
    client.order_history(NameSpace.PLAIN)
    return client.take_unreadable_rows()


@pytest.fixture
def spanish_admin(admin_client):
    admin_client.cookies["django_language"] = "es"
    return admin_client


def page(client, name, *args):
    return client.get(reverse(f"admin:exchange_{name}", args=args)).content.decode()


def test_every_code_has_a_text_with_the_parameters_of_its_comment():
    assert set(Problem) == PROBLEM_TEXTS.keys()
    assert set(SyncReason) == ERROR_TEXTS.keys()


def test_a_refused_row_says_why_in_spanish_in_cycle_admin_and_alert(spanish_admin):
    run = SyncRunFactory(age=5)
    errors = unreadable_record_all(rows=refused_rows(), now=timezone.now())
    assert errors == [f"private/get-order-history: 2 is not believed, {UNUSABLE}."]
    assert spanish(errors) == f"private/get-order-history: no se da crédito a 2: {UNUSABLE_ES}."
    row = UnreadableRow.objects.get()
    assert (row.problem, row.reason_code) == (UNUSABLE, Problem.UNUSABLE_NUMBER)
    assert UNUSABLE_ES in page(spanish_admin, "unreadablerow_changelist")
    detail = page(spanish_admin, "unreadablerow_change", row.pk)
    assert UNUSABLE_ES in detail
    assert UNUSABLE not in detail
    run.errors, run.error_reasons = errors, [stored_sentence(error) for error in errors]
    run.save()
    assert UNUSABLE_ES in page(spanish_admin, "syncrun_changelist")
    check_system(now=timezone.now())
    with translation.override("es"):
        assert UNUSABLE_ES in alert_text(Alert.objects.get(condition="rows"))


def test_a_row_of_an_earlier_version_keeps_its_text_until_it_comes_again(spanish_admin):
    UnreadableRowFactory(method="private/get-order-history", row_id="2", problem=UNUSABLE)
    assert UNUSABLE in page(spanish_admin, "unreadablerow_changelist")
    unreadable_record_all(rows=refused_rows(), now=timezone.now())
    assert UNUSABLE_ES in page(spanish_admin, "unreadablerow_changelist")
    assert UnreadableRow.objects.get().times == 2


def test_a_gap_of_history_says_why_in_spanish(spanish_admin):
    HistoryGapFactory(reason="too many")
    busy = problem(Problem.ASKED_ONE_BY_ONE, rows=100, count=2)
    gap_record_all(stream="ORDERS", gaps=[Gap(5, 6, "", busy)], now=timezone.now())
    listed = page(spanish_admin, "historygap_changelist")
    assert "más de 100 filas en un milisegundo; se ha preguntado por 2 instrumentos uno a uno" in listed
    assert "too many" in listed
    gap = HistoryGap.objects.get(stream="ORDERS")
    assert "one by one" not in page(spanish_admin, "historygap_change", gap.pk)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"{}"])
def test_an_unreadable_answer_is_named_in_spanish(body):
    with pytest.raises(UnreadableResponse) as found:
        parse_envelope(body, str)
    status = problem(Problem.WITH_STATUS, problem=sentence_of(found.value), status=502)
    error = BadResponse(method="private/get-trades", message=status).sentence("Trades")
    assert str(found.value) in error
    assert spanish([error]).endswith("(HTTP 502).")
    assert str(found.value) not in spanish([error])


def test_a_code_that_nobody_knows_is_not_called_a_message_of_the_exchange():
    error = UnknownOutcome(method="private/create-order", code=987, message=problem(Problem.UNKNOWN_CODE))
    assert "Mensaje del exchange" not in spanish([error.sentence()])
    assert "987" in spanish([error.sentence()])


def test_a_refused_order_without_a_code_says_why_in_spanish(spanish_admin):
    error = UnknownOutcome(method="private/create-order", message=problem(Problem.NO_CONNECTION))
    why = error.sentence().reason
    leg = LegFactory(refused_text=str(error), refused_reason=why.stored, status=OcoLeg.Status.REFUSED)
    old = LegFactory(refused_text="as it was", status=OcoLeg.Status.REFUSED)
    with translation.override("es"):
        assert render_stored(old.refused_reason or old.refused_text) == "as it was"
    shown = spanish_admin.get(reverse("admin:oco_ocoleg_change", args=[leg.pk])).content.decode()
    assert "no connection could be made" not in shown


def test_another_account_is_named_in_spanish():
    account_bind(environment="UAT", account_uuid="u1", key_tail="1", now=timezone.now())
    with pytest.raises(WrongAccount) as environment:
        account_check_is_due(environment="PROD", key_tail="1", now=timezone.now())
    with pytest.raises(WrongAccount) as account:
        account_bind(environment="UAT", account_uuid="u2", key_tail="1", now=timezone.now())
    for found, named in ((environment, "PROD"), (account, "u2")):
        text = spanish([sentence_of(found.value)])
        assert text.startswith("Esta base de datos es el registro de la cuenta u1")
        assert named in text


def test_a_failing_database_is_named_in_the_language_of_the_reader(monkeypatch):
    def fail(**_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(runner, "run_cycle", fail)
    monkeypatch.setattr(runner, "switch_store_file", lambda **_: None)
    errors, failed = runner._cycle(None, None, SyncRun())
    assert failed
    with translation.override("es"):
        assert "base de datos" in spanish(errors)
