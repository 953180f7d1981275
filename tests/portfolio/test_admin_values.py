"""What the admin shows for empty columns, statuses and codes, on lists, detail pages and in inline tables."""

import ast
import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

from exchange.labels import STREAM_STATUS_LABELS, TRIGGER_LABELS
from exchange.models import ExchangeOrder, HistoryRange, SyncRun
from exchange.models.sync import StreamRecord
from oco.engine.states import State
from oco.models import OcoEvent, OcoGroup, OcoLeg
from portfolio.models import ApiToken
from tests import factories
from tests.portfolio.test_admin_language import FACTORIES, Reader, address

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
NONE = re.compile(r">\s*None\s*<")


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.force_login(factories.UserFactory())
    return client


def html(client, page):
    answer = client.get(page)
    assert answer.status_code == 200, page
    return answer.content.decode()


def texts(model, row, language="es"):
    """All that is shown of a row, on the list with its filters and on its own page."""
    reader = Reader(language)
    return [reader.texts(address(model, "changelist")), reader.texts(address(model, "change", row.pk))]


def task(model, **values):
    now = timezone.now()
    name = model.__name__
    return model.objects.create(id=name, name=name, func="f", started=now, stopped=now, **values)


OTHERS = {
    Group: lambda: Group.objects.create(name="editors"),
    Failure: lambda: task(Failure, success=False),
    Success: lambda: task(Success, success=True),
    Schedule: lambda: Schedule.objects.create(func="f"),
}


def emptied(row):
    """Without any value that a column may lack."""
    for field in row._meta.concrete_fields:
        if field.null:
            setattr(row, field.attname, None)
        elif field.blank and field.empty_strings_allowed and not field.is_relation and not field.choices:
            setattr(row, field.attname, "")
    QuerySet(type(row)).filter(pk=row.pk).update(
        **{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    )


def test_every_model_of_the_admin_is_looked_at(alice):
    html(alice, "/admin/")
    assert {*FACTORIES, *OTHERS} == set(admin.site._registry) - {OrmQ}


@pytest.mark.parametrize("model", [*FACTORIES, *OTHERS], ids=lambda model: model._meta.label)
@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "filled"])
def test_no_page_shows_the_word_none(alice, model, is_empty):
    row = (FACTORIES.get(model) or OTHERS[model])()
    rows = [row]
    if model is OcoGroup:
        rows += [factories.LegFactory(group=row), factories.EventFactory(group=row)]
    for each in rows if is_empty else ():
        emptied(each)
    for page in (address(model, "changelist"), address(model, "change", row.pk)):
        assert not NONE.search(html(alice, page)), page


def test_the_pages_have_the_dash_for_what_is_missing(alice):
    leg = factories.LegFactory(price=None, sent_at=timezone.now())
    OcoGroup.objects.update(entry_price=None, entry_order_id="")
    shown = html(alice, address(OcoGroup, "change", leg.group.pk))
    assert '<div class="readonly">–</div>' in shown
    assert "Requested by a user" in shown
    assert "<td>–</td>" in shown


def test_every_column_that_is_a_method_shows_the_dash():
    """`admin.display` leaves None to Django, which shows it as a word: `exchange.admin.base.display` does not."""
    files = [path for app in ("exchange", "oco", "portfolio") for path in (ROOT / app).glob("admin/*.py")]
    found = [
        f"{path.name}: {node.name}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("admin.display")
    ]
    assert found == []
    assert files


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"order_type": "MARKET", "status": "CANCELED", "is_open": False, "has_fills": True}, "Filled"),
        ({"advanced": True, "status": "PENDING"}, "Active"),
        ({"status": "NEW"}, "Pending"),
        ({"missing_since": timezone.now()}, "Unknown, check (was: Active)"),
    ],
)
def test_an_order_has_the_status_of_the_pages(values, label):
    order = factories.OrderFactory(**values)
    for shown in texts(ExchangeOrder, order, "en"):
        assert label in shown
    assert order.status not in texts(ExchangeOrder, order, "en")[0]


def test_orders_are_found_by_the_status_that_is_shown(alice):
    filled = factories.OrderFactory(order_type="MARKET", status="CANCELED", is_open=False, has_fills=True)
    stop = factories.OrderFactory(advanced=True, status="PENDING")
    fresh = factories.OrderFactory(status="NEW")
    waiting = factories.OrderFactory(status="PENDING")
    page = address(ExchangeOrder, "changelist")
    for status, rows in {
        "FILLED": {filled},
        "CANCELED": set(),
        "ACTIVE": {stop},
        "NEW": {fresh, waiting},
    }.items():
        assert set(alice.get(f"{page}?status={status}").context["cl"].result_list) == rows


def codes_in(texts, codes):
    return {code for code in codes for text in texts if re.search(rf"(?<!\w){re.escape(code)}(?!\w)", text)}


STATES = {*State, "ON_HOLD", "REMOVAL_REQUESTED"}


@pytest.mark.parametrize("state", State)
def test_a_group_has_no_code_for_its_state(state):
    group = factories.GroupFactory(state=state)
    leg, event = (
        factories.LegFactory(group=group),
        factories.EventFactory(group=group, old="PENDING", new=state),
    )
    for model, row in ((OcoGroup, group), (OcoLeg, leg), (OcoEvent, event)):
        for shown in texts(model, row):
            assert codes_in(shown, STATES) == set()


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({}, "Protegida"),
        ({"buys_back": True}, "Activa"),
        ({"cancel_requested_at": timezone.now()}, "Cancelación solicitada"),
        ({"state": "PENDING", "reason_code": "TRADING_DISABLED"}, "En espera: el trading está desactivado"),
    ],
)
def test_a_group_is_called_as_on_the_pages(values, label):
    group = factories.GroupFactory(**values)
    for shown in texts(OcoGroup, group):
        assert label in shown
        assert codes_in(shown, STATES) == set()


def test_codes_of_cycles_tokens_and_the_stream_are_words():
    for trigger in TRIGGER_LABELS:
        run = factories.SyncRunFactory(trigger=trigger)
        for shown in texts(SyncRun, run):
            assert codes_in(shown, {*TRIGGER_LABELS, "OK"}) == set()
    for status in STREAM_STATUS_LABELS:
        StreamRecord.objects.all().delete()
        record = factories.StreamRecordFactory(status=status)
        for shown in texts(StreamRecord, record):
            assert codes_in(shown, STREAM_STATUS_LABELS) == set()
    row = factories.HistoryRangeFactory(why=HistoryRange.Why.FIRST_RUN)
    for shown in texts(HistoryRange, row):
        assert codes_in(shown, {*HistoryRange.Why.values, "ORDERS"}) == set()
    token = FACTORIES[ApiToken]()
    for shown in texts(ApiToken, token):
        assert "solo lectura" in shown
        assert codes_in(shown, {"read"}) == set()
