"""A database of version 0.1.0 becomes one of today, and nothing that it holds is lost.

`fixtures/database-0.1.0.sql.gz` is a dry run of that version on SQLite. There it is restored as it is; for PostgreSQL
its rows are put into tables that the migrations of that version have made.
"""

import contextlib
import gzip
import json
import os
import re
import sqlite3
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg2
import pytest
from django.db import connection

from tests.programs import Installation

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("upgrade")]

DUMP = Path(__file__).parent / "fixtures" / "database-0.1.0.sql.gz"
LAST = {"exchange": "0006_undecided_trades", "oco": "0007_buy_backs", "portfolio": "0009_drifts_learnt"}
# Rows that record money or what was decided about it: as many as before, not one more.
MONEY = {
    "exchange_orders",
    "exchange_trades",
    "oco_groups",
    "oco_legs",
    "oco_lots",
    "oco_lot_trades",
    "oco_events",
    "oco_policies",
    "portfolio_balances",
    "portfolio_snapshots",
    "portfolio_costs",
    "portfolio_cost_entries",
    "portfolio_drifts",
    "audit_entries",
}
# Where what a column of 0.1.0 held is found since it went: (table, column) → SQL for (key of the row, value).
MOVED: dict[tuple[str, str], str] = {}
# Django's own lists of what there is; each upgrade adds to them.
LISTS = {"django_migrations", "django_content_type", "auth_permission", "sqlite_sequence"}
FIGURE = re.compile(r"\d+(?:\.\d+)?")
NAME, PASSWORD, TOKEN = "alice", "not a secret", "0a" * 32
PAGES = ("/", "/protection/", "/orders/", "/portfolio/", "/history/", "/signals/", "/watchlist/", "/alerts/")

OLD_TABLES = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
others = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] not in LAST]
executor.migrate([*LAST.items(), *others])
"""
ASK = """
import json
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
client, found = Client(headers={"host": "localhost"}), {}
for address in asked:
    for language in ("en", "es"):
        answer = client.get(address, headers={"accept-language": language})
        found[f"{language} {address}"] = [answer.status_code, answer.content.decode()]
for address in ("/api/orders/", "/api/trades/"):
    answer = client.get(address, headers={"authorization": f"Token {TOKEN}"})
    found[f"program {address}"] = [answer.status_code, answer.content.decode()]
user = authenticate(RequestFactory().post("/login/"), username=NAME, password=PASSWORD)
found["login"] = [200 if user else 401, ""]
"""


class Old:
    """The database of 0.1.0 as SQLite reads it: rows of each table by their key."""

    def __init__(self):
        self.sql = gzip.decompress(DUMP.read_bytes()).decode()
        self.tables, self.columns, self.keys = {}, {}, {}
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.executescript(self.sql)
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                if name != "sqlite_sequence":
                    self._read(database, name)

    def _read(self, database, name):
        shape = database.execute(f'PRAGMA table_info("{name}")').fetchall()
        self.columns[name] = [column[1] for column in shape]
        (self.keys[name],) = [column[1] for column in shape if column[5]]
        rows = database.execute(f'SELECT * FROM "{name}"').fetchall()
        place = self.columns[name].index(self.keys[name])
        self.tables[name] = {
            _key(row[place]): dict(zip(self.columns[name], row, strict=True)) for row in rows
        }

    def rows(self, table):
        return [*self.tables[table].values()]


def _key(value):
    return str(value).replace("-", "")


def same(before, after):
    """Whether a value that SQLite held is the one that either database holds now."""
    if isinstance(after, bool):
        return bool(before) is after
    if isinstance(after, datetime):
        return datetime.fromisoformat(before).replace(tzinfo=UTC) == after
    if isinstance(after, date):
        return date.fromisoformat(before) == after
    if isinstance(after, Decimal):
        # To the last digit: also those that are noughts.
        return Decimal(before).as_tuple() == after.as_tuple()
    if isinstance(after, list | dict):
        return json.loads(before) == after
    return before == after or _key(before) == _key(after)


@pytest.fixture(scope="module")
def old():
    return Old()


@pytest.fixture(scope="module")
def place(tmp_path_factory, old):
    """An installation whose database was one of 0.1.0, after `migrate`."""
    directory = tmp_path_factory.mktemp("upgrade")
    if connection.vendor == "postgresql":
        place = Installation(directory, DATABASE_URL=new_database())
        shell(place, OLD_TABLES, LAST=LAST)
        fill(place, old)
    else:
        place = Installation(directory)
        with place.database() as database:
            database.executescript(old.sql)
    code, text = place.run("migrate", "--no-input")
    assert code == 0, text
    yield place
    place.clear()


def new_database():
    address = urlsplit(os.environ["TEST_DATABASE_URL"])
    name = f"upgrade_{uuid4().hex[:8]}"
    with contextlib.closing(psycopg2.connect(address.geturl())) as server:
        server.autocommit = True
        server.cursor().execute(f"CREATE DATABASE {name}")
    return address._replace(path=f"/{name}").geturl()


def shell(place, script, **names):
    """Runs in the installation, with its own settings; what it `found`."""
    answers = place.directory / "answers.json"
    given = "\n".join(f"{name} = {value!r}" for name, value in names.items())
    end = f"\nopen({str(answers)!r}, 'w').write(__import__('json').dumps(globals().get('found')))"
    code, text = place.run("shell", "--no-imports", "-c", f"{given}\n{script}{end}")
    assert code == 0, text
    return json.loads(answers.read_text())


def fill(place, old):
    """The rows of the dump, in one transaction: foreign keys are looked at when it ends."""
    with place.database() as database:
        cursor = database.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        for table, rows in old.tables.items():
            if table == "django_migrations" or not rows:
                continue
            columns = ", ".join(f'"{name}"' for name in old.columns[table])
            marks = ", ".join(["%s"] * len(old.columns[table]))
            sql = f'INSERT INTO "{table}" ({columns}) OVERRIDING SYSTEM VALUE VALUES ({marks})'
            cursor.executemany(sql, [[_text(value) for value in row.values()] for row in rows.values()])
            if old.keys[table] == "id":
                cursor.execute(f"SELECT pg_get_serial_sequence('\"{table}\"', 'id')")
                (sequence,) = cursor.fetchone()
                if sequence:
                    cursor.execute(f"SELECT setval('{sequence}', (SELECT max(id) FROM \"{table}\"))")
        database.commit()


def _text(value):
    """Whatever the column is: the server reads it from its text."""
    return None if value is None else str(value)


def now(place, table):
    """The rows of today by their key, and the names of the columns."""
    with place.database() as database:
        cursor = database.cursor()
        if connection.vendor == "postgresql":
            cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in cursor.description]
        return columns, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_the_dump_has_something_of_everything(old):
    """What the other tests look at is there; there is no key, and no session."""
    empty = {table for table, rows in old.tables.items() if not rows}
    assert not MONEY & empty
    assert old.tables.keys() >= MONEY
    assert len({row["state"] for row in old.rows("oco_groups")}) == 11
    assert {row["side"] for row in old.rows("oco_lots")} == {"BUY", "SELL"}
    assert any(re.search(r"\[\d+\]", row["reason"]) for row in old.rows("oco_events"))
    assert {row["ended_at"] is None for row in old.rows("portfolio_alerts")} == {True, False}
    assert not old.tables["django_session"]


def test_every_row_and_every_value_is_kept(place, old):
    lost = []
    for table in sorted(old.tables.keys() - LISTS):
        columns, rows = now(place, table)
        found = {_key(row[old.keys[table]]): row for row in rows}
        moved = {name: place.rows(sql) for (where, name), sql in MOVED.items() if where == table}
        for name, values in moved.items():
            for key, value in values:
                found[_key(key)][name] = value
        gone = [name for name in old.columns[table] if name not in columns and name not in moved]
        lost += [f"{table}.{name} is gone" for name in gone]
        for key, row in old.tables[table].items():
            if key not in found:
                lost.append(f"{table} {key} is gone")
                continue
            lost += [
                f"{table} {key} {name}: {value!r} became {found[key].get(name)!r}"
                for name, value in row.items()
                if name not in gone and not same(value, found[key].get(name))
            ]
    assert lost[:20] == []


def test_nothing_is_added_to_what_records_money(place, old):
    counts = {table: (len(old.tables[table]), len(now(place, table)[1])) for table in sorted(MONEY)}
    assert {table: pair for table, pair in counts.items() if pair[0] != pair[1]} == {}


def test_it_is_up_to_date_and_whole(place):
    assert place.run("migrate", "--check")[0] == 0
    if connection.vendor == "sqlite":
        assert place.rows("PRAGMA foreign_key_check") == []
        assert place.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.fixture(scope="module")
def answers(place, old):
    """What the web answers from it, after `setup`: status and text, by language and address."""
    code, text = place.run("setup")
    assert code == 0, text
    groups = [UUID(row["oco_group_id"]) for row in old.rows("oco_groups")]
    shown = {row["state"]: UUID(row["oco_group_id"]) for row in old.rows("oco_groups")}.values()
    asked = [
        *PAGES,
        *(f"/protection/{group}/" for group in shown),
        *(f"/api/oco-groups/{group}/" for group in groups),
        *("/api/dashboard/state", "/api/balances/", "/api/watchlist/", "/api/signals/", "/health"),
    ]
    return shell(place, ASK, asked=asked, NAME=NAME, PASSWORD=PASSWORD, TOKEN=TOKEN)


def test_every_page_answers_from_it(answers):
    assert {what: status for what, (status, _) in answers.items() if status != 200} == {}


def test_the_state_tells_what_is_held_and_protected(answers, old):
    state = json.loads(answers["en /api/dashboard/state"][1])
    held = {row["currency"]: row["quantity"] for row in old.rows("portfolio_balances")}
    assert {row["currency"]: row["quantity"] for row in state["portfolio"]} == held
    orders = {row["order_id"] for row in old.rows("exchange_orders") if row["is_open"]}
    assert {row["order_id"] for row in state["open_orders"]} == orders
    groups = {
        _key(row["oco_group_id"]): row["state"] for row in old.rows("oco_groups") if not row["closed_at"]
    }
    shown = {_key(row["oco_group_id"]): row["state"] for row in state["oco_groups"]}
    assert groups.items() <= shown.items()


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_reason_is_still_told(answers, old, language):
    """In whatever words: each figure and each code of it is there, in the order of time."""
    told = []
    for group in old.rows("oco_groups"):
        rows = [row for row in old.rows("oco_events") if row["group_id"] == group["oco_group_id"]]
        rows.sort(key=lambda row: row["id"])
        story = json.loads(answers[f"{language} /api/oco-groups/{UUID(group['oco_group_id'])}/"][1])
        assert [event["new"] for event in story["events"]] == [row["new"] for row in rows]
        assert bool(story["reason"]) == bool(group["reason"])
        for row, event in zip(rows, story["events"], strict=True):
            assert event["reason"].strip()
            assert "%(" not in event["reason"]
            wanted = {*FIGURE.findall(row["reason"]), *([str(row["code"])] if row["code"] else [])}
            told.append(wanted <= {*FIGURE.findall(json.dumps(event))})
    assert len(told) == len(old.rows("oco_events"))
    assert all(told)
