"""Errors, invariants and refusals are stored as data, and shown in the language of the reader."""

import pytest
from django.utils import translation

from exchange.client.errors import AuthError, Unreachable, timed_out
from exchange.core.reasons import Sentence, stored_sentence
from exchange.error_texts import CALL_TEXTS, ERROR_TEXTS, render_errors
from exchange.services.runs import run_finish
from oco.engine import invariants
from oco.engine.reason_codes import Violation
from oco.engine.states import State
from oco.presentation.reasons import REASON_TEXTS, render_stored
from portfolio.alerts.texts import alert_text
from portfolio.models import Alert
from tests.factories import AlertFactory, SyncRunFactory
from tests.support import utc

NOW = utc("2026-05-01 12:00:00")
DENIED = AuthError(method="private/get-trades", message="IP not allowed", code=40103)
SILENT = Unreachable(method="private/user-balance", message="no answer in 10 s")


def every_error_class(cls):
    return {cls.__name__}.union(*map(every_error_class, cls.__subclasses__()))


def shown(errors, language):
    with translation.override(language):
        return " ".join(render_errors(errors, [stored_sentence(error) for error in errors]))


def test_a_failed_read_names_part_code_and_remedy_in_both_languages():
    error = DENIED.sentence("Trades")
    assert str(error) == f"Trades: {DENIED}"
    assert "Trades: private/get-trades was not allowed. Exchange code 40103:" in shown([error], "en")
    spanish = shown([error], "es")
    assert spanish.startswith("Operaciones: private/get-trades no está permitida. Código 40103 del exchange:")
    assert "allow-list" not in spanish


def test_a_silent_exchange_is_named_in_spanish():
    errors = [SILENT.sentence("Balances"), timed_out("Mark price of", name="BTC_USD")]
    assert shown(errors, "es").startswith("Saldos: el exchange no respondió a private/user-balance.")
    assert shown(errors, "es").endswith("Precio de marca de BTC_USD: sin respuesta a tiempo.")


def test_every_class_of_errors_and_every_code_has_a_text():
    from exchange.client.errors import ExchangeError
    from exchange.core.reasons import SyncReason

    assert every_error_class(ExchangeError) <= CALL_TEXTS.keys()
    assert set(SyncReason) == ERROR_TEXTS.keys()
    assert set(Violation) <= REASON_TEXTS.keys()


def test_an_error_of_an_earlier_version_is_shown_as_it_was_stored():
    assert render_errors(["Trades: timed out."], []) == ["Trades: timed out."]


@pytest.mark.django_db
def test_a_cycle_keeps_text_and_reason_of_each_error():
    run = run_finish(run=SyncRunFactory(), errors=[DENIED.sentence("Trades"), "old"], failed=True, now=NOW)
    run.refresh_from_db()
    assert run.errors == [f"Trades: {DENIED}", "old"]
    assert [stored and stored["code"] for stored in run.error_reasons] == ["READ_FAILED", None]


@pytest.mark.django_db
def test_an_alert_of_a_broken_invariant_is_spanish_for_a_spanish_reader():
    group = invariants.GroupFact(id="g1", lot_id=1, state=State.CLOSED_BY_STOP)
    leg = invariants.LegFact(group_id="g1", client_oid="x1", role="STOP_LOSS", status="SENT", executed=0)
    data = invariants.InvariantData(lots=[], groups=[group], legs=[leg], orders=[])
    (found,) = invariants.evidence_only(data)
    assert isinstance(found, Sentence)
    params = {"violation": stored_sentence(found)}
    alert = AlertFactory(kind=Alert.Kind.INVARIANT, reason_code="INCONSISTENT_RECORDS", reason_params=params)
    with translation.override("es"):
        assert alert_text(alert) == "El grupo g1 terminó sin que se conozca el estado de la orden x1."
    alert.reason_params = {"violation": "Group g1 ended."}
    assert alert_text(alert) == "Group g1 ended."
    assert render_stored("as it was") == "as it was"


@pytest.mark.django_db
def test_a_refused_delivery_is_shown_in_the_language_of_the_reader():
    alert = AlertFactory(state="FAILED", refused_by=["channel 1 (JSON)"])
    with translation.override("es"):
        assert "channel 1 (JSON)" in alert.delivery_error
        assert not alert.delivery_error.startswith("Not accepted")
    assert AlertFactory(last_error="Not accepted by x.").delivery_error == "Not accepted by x."
