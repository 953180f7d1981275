"""The admin is Spanish for a Spanish reader: whatever reads the same in both languages is a name or a code."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, Schedule, Success

from oco.models import OcoGroup, ProtectionPolicy
from portfolio.models import Balance
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

HIDDEN = {"script", "style", "title", "code"}
SHOWN_ATTRIBUTES = ("title", "placeholder", "aria-label", "alt")
NAMES = {
    *(
        "Exchange Desk",
        "English",
        "Español",
        "Exchange",
        "exchange",
        "kill switch",
        "stop loss",
        "take profit",
    ),
    *("Token", "Nonce", "Cron", "Total", "No", "Error", "API", "worker"),
}
"""Words that are the same in both languages, beside data and codes."""


class VisibleText(HTMLParser):
    """Every piece of text of a page that a person sees or hears."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._hidden += tag in HIDDEN
        known = dict(attrs)
        is_button = tag == "input" and known.get("type") in ("submit", "button")
        names = ("value",) if is_button else SHOWN_ATTRIBUTES
        self.texts |= {" ".join(known[name].split()) for name in names if known.get(name)}

    def handle_endtag(self, tag):
        self._hidden -= tag in HIDDEN

    def handle_data(self, data):
        if not self._hidden and data.strip():
            self.texts.add(" ".join(data.split()))


FACTORIES = {
    factory._meta.model: factory
    for factory in vars(factories).values()
    if isinstance(factory, type) and issubclass(factory, factories.DjangoModelFactory) and factory._meta.model
}


def rows_of_every_model():
    """One row of each model of the admin, with all optional columns of the interesting ones."""
    factories.SyncRunFactory(failed=True)
    rows = {model: build() for model, build in FACTORIES.items()}
    rows[Group] = Group.objects.create(name="editors")
    task = {
        "name": "sync",
        "func": "portfolio.tasks.sync",
        "started": timezone.now(),
        "stopped": timezone.now(),
    }
    rows[Failure] = Failure.objects.create(id="f1", success=False, **task)
    rows[Success] = Success.objects.create(id="s1", success=True, **task)
    rows[Schedule] = Schedule.objects.create(name="sync", func="portfolio.tasks.sync", minutes=1)
    return rows


class Reader:
    """Alice, reading every page in one language."""

    def __init__(self, language):
        self.client = Client(headers={"accept-language": language})
        self.client.force_login(factories.UserFactory())
        self.language = language

    def texts(self, page, data=None):
        answer = self.client.post(page, data, follow=True) if data else self.client.get(page)
        assert answer.status_code == 200, page
        html = answer.content.decode()
        assert f'lang="{self.language}"' in html, page
        return VisibleText(html).texts


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def pages(rows, client):
    """Every page of the admin, with what is sent to it."""
    yield reverse("admin:index"), None
    yield reverse("admin:password_change"), None
    for app in {model._meta.app_label for model in rows}:
        yield reverse("admin:app_list", args=[app]), None
    for model, row in rows.items():
        for name, args in (("changelist", []), ("change", [row.pk]), ("history", [row.pk])):
            yield address(model, name, *args), None
        for name, args in (("add", []), ("delete", [row.pk])):
            if client.get(address(model, name, *args)).status_code == 200:
                yield address(model, name, *args), None
        if client.get(address(model, "add")).status_code == 200:
            yield address(model, "add"), {"stop_pct": "100", "distance_pct": "-1"}
        yield (
            address(model, "changelist"),
            {"action": "delete_selected", "_selected_action": [row.pk], "index": 0},
        )
    yield (
        address(OcoGroup, "changelist"),
        {"action": "cancel_protection", "_selected_action": [rows[OcoGroup].pk]},
    )
    yield reverse("admin:portfolio_balance_protect", args=[rows[Balance].currency]), None


def stored_texts():
    """All that is data: no language changes it."""
    found = set()
    for model in apps.get_models():
        for values in model._default_manager.values_list():
            for value in values:
                found |= set(map(str, value)) if isinstance(value, list) else set()
                found |= {str(value), json.dumps(value)} if isinstance(value, dict | list) else {str(value)}
    return {text for text in found if re.search(r"[a-z]{2}", text)}


WORD = re.compile(r"[^\W\d_]{2,}")
CODE = re.compile(
    r"\b[A-Z0-9]+(_[A-Z0-9]+)*\b|\b[a-z]+_[a-z_0-9]+\b|\b\d+[a-z]\b|\b[0-9a-f]{8}\b|\b[a-z]+(\.[a-z]+)+\b"
)


def words(text, data):
    """What is left of `text` without data, codes and names."""
    for known in sorted({*data, *NAMES}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", "", text, flags=re.IGNORECASE)
    return WORD.findall(CODE.sub("", text))


def test_the_whole_admin_is_spanish():
    rows = rows_of_every_model()
    english, spanish = Reader("en"), Reader("es")
    same = {}
    for page, sent in pages(rows, english.client):
        for text in english.texts(page, sent) & spanish.texts(page, sent):
            same.setdefault(text, page)
    data = stored_texts()
    left = {text: page for text, page in same.items() if words(text, data)}
    assert left == {}


def test_the_history_of_a_change_is_in_the_language_of_the_reader():
    policy = factories.PolicyFactory()
    values = {
        "enabled": "on",
        "stop_pct": "7",
        "target_pct": "20",
        "minimum_value_usd": "5",
        "distance_pct": "0.5",
    }
    values |= {"on_breach": "ALERT", "on_hand_cancel": "RESPECT"}
    Reader("es").client.post(address(ProtectionPolicy, "change", policy.pk), values)
    shown = " ".join(Reader("es").texts(address(ProtectionPolicy, "history", policy.pk)))
    for label in ("Stop, en %", "Take profit, en %", "Valor mínimo, en USD", "Si el precio ya pasó el stop"):
        assert label in shown
    assert "Stop, in %" in " ".join(Reader("en").texts(address(ProtectionPolicy, "history", policy.pk)))


@pytest.mark.parametrize(
    ("language", "first", "last"),
    [("en", "Trading and protection", "Internal"), ("es", "Trading y protección", "Interno")],
)
def test_the_index_begins_with_the_business_and_ends_with_internals(language, first, last):
    sections = Reader(language).client.get(reverse("admin:index")).context["app_list"]
    assert (sections[0]["name"], sections[-1]["name"]) == (first, last)
    labels = {
        section["app_label"]: {row["model"]._meta.label for row in section["models"]} for section in sections
    }
    assert {"exchange.ExchangeOrder", "portfolio.Balance", "oco.OcoGroup", "portfolio.Alert"} <= labels[
        "trading"
    ]
    internal = {"exchange.Lease", "exchange.SyncCursor", "exchange.UnreadableRow", "django_q.Success"}
    assert internal <= labels["internal"]
    assert sum(map(len, labels.values())) == len(admin.site._registry)


def test_no_help_text_quotes_a_rule_of_a_book():
    texts = {
        str(text)
        for model in admin.site._registry
        for field in model._meta.fields
        for text in (field.help_text,)
    }
    assert [text for text in texts if re.search(r"rule \d|chapter|dossier", text)] == []
