"""A disk that is full or read-only, a database that is gone or damaged: a sentence, and never a traceback."""

import contextlib
import sqlite3
from collections import namedtuple

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from exchange.core import database
from exchange.core.database import database_problem, storage_problems
from portfolio.backup import sqlite
from tests.factories import HeartbeatFactory, SyncRunFactory
from tests.portfolio.test_backup import Here

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="messages of SQLite")


def full(file):
    with contextlib.closing(sqlite3.connect(file)) as one:
        one.execute("CREATE TABLE t (x)")
        one.execute("PRAGMA max_page_count = 2")
        one.execute("INSERT INTO t VALUES (zeroblob(100000))")


def read_only(file):
    file.touch()
    sqlite3.connect(f"file:{file}?mode=ro", uri=True).execute("CREATE TABLE t (x)")


def missing(file):
    sqlite3.connect(file / "nowhere").execute("SELECT 1")


def damaged(file):
    file.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    sqlite3.connect(file).execute("SELECT * FROM sqlite_master")


def nonsense(file):
    file.write_bytes(b"nonsense" * 1000)
    sqlite3.connect(file).execute("SELECT * FROM sqlite_master")


def empty(file):
    sqlite3.connect(file).execute("SELECT * FROM exchange_orders")


@sqlite_only
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (full, "is full"),
        (read_only, "is read-only"),
        (missing, "is missing"),
        (damaged, "is damaged"),
        (nonsense, "is damaged"),
        (empty, "has not all of its tables"),
    ],
)
def test_each_trouble_of_sqlite_has_its_sentence(tmp_path, trouble, words):
    with pytest.raises(sqlite3.DatabaseError) as caught:
        trouble(tmp_path / "file")
    kind = OperationalError if isinstance(caught.value, sqlite3.OperationalError) else DatabaseError
    assert words in database_problem(kind(str(caught.value)))


Cause = namedtuple("Cause", "pgcode")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("53100", "is full"),
        ("25006", "is read-only"),
        ("42P01", "has not all of its tables"),
        ("XX001", "is damaged"),
        ("57P03", "does not answer"),
        (None, "does not answer"),
    ],
)
def test_each_trouble_of_postgresql_has_its_sentence(monkeypatch, state, words):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    error = OperationalError("secret-host")
    monkeypatch.setattr(database, "_sqlstate", lambda error: state or "")
    assert words in database_problem(error)


@sqlite_only
def test_a_mistake_of_ours_is_not_called_a_trouble_of_the_database():
    assert database_problem(IntegrityError("UNIQUE constraint failed")) is None
    assert database_problem(ValueError("no such table")) is None
    assert "OperationalError" in database_problem(OperationalError("something new"))


Usage = namedtuple("Usage", "free")


@pytest.mark.django_db
def test_health_says_that_the_disk_fills_up_before_anything_fails(monkeypatch):
    HeartbeatFactory()
    SyncRunFactory()
    monkeypatch.setattr("shutil.disk_usage", lambda _place: Usage(3 * 1024**2))
    said = Client().get("/health").json()
    assert said["status"] == "degraded"
    (reason,) = said["reasons"]
    assert "is almost full: 3 MB are free" in reason


@sqlite_only
@pytest.mark.django_db
def test_health_says_that_the_disk_is_read_only(monkeypatch):
    HeartbeatFactory()
    SyncRunFactory()
    monkeypatch.setattr("os.access", lambda *_args: False)
    (reason,) = Client().get("/health").json()["reasons"]
    assert "The database is read-only" in reason


@sqlite_only
def test_a_file_that_is_gone_is_noticed_while_it_is_still_open(monkeypatch, tmp_path):
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "gone.sqlite3"))
    (reason,) = storage_problems()
    assert "is missing" in reason


def test_a_page_without_a_database_is_a_sentence(monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", fail)
    answer = Client(raise_request_exception=False).get("/")
    assert answer.status_code == 503
    assert "Something went wrong" not in answer.content.decode()


@pytest.fixture
def here(templates, tmp_path):
    here = Here(templates.installation(tmp_path))
    yield here
    here.installation.clear()


@sqlite_only
@pytest.mark.parametrize(
    "words",
    [
        ("sync_exchange",),
        ("oco_plan",),
        ("kill_switch", "off"),
        ("api_token", "list"),
        ("send_alerts",),
        ("setup", "--no-static"),
    ],
)
def test_no_command_shows_a_traceback_of_a_damaged_database(here, tmp_path, words):
    for file in tmp_path.glob("dry_run.sqlite3*"):
        file.write_bytes(b"nonsense" * 4096)
    text = here.run(*words, code=1)
    assert "The database is damaged" in text
    assert "Traceback" not in text


@sqlite_only
def test_the_kill_switch_works_without_a_database(here, tmp_path):
    for file in tmp_path.glob("dry_run.sqlite3*"):
        file.write_bytes(b"nonsense" * 4096)
    text = here.run("kill_switch", "on")
    assert "Kill switch turned on by" in text
    assert "Traceback" not in text
    assert (tmp_path / "dry_run.kill_switch").exists()
    assert "Kill switch turned on by" in here.run("kill_switch", "status")


@sqlite_only
def test_it_stays_on_when_the_database_is_made_anew(here, tmp_path):
    here.run("kill_switch", "on")
    for file in tmp_path.glob("dry_run.sqlite3*"):
        file.unlink()
    here.run("setup", "--no-static")
    assert "Kill switch turned on by" in here.run("kill_switch", "status")


def test_a_secret_key_that_cannot_be_kept_is_a_sentence(here, tmp_path):
    (tmp_path / "secret_key").unlink()
    (tmp_path / "secret_key").mkdir()
    text = here.run("kill_switch", "status", code=1)
    assert "The key that signs sessions cannot be kept in" in text
    assert "Traceback" not in text


def nonsense_everywhere(directory):
    for end in ("", "-wal", "-shm"):
        (directory / f"dry_run.sqlite3{end}").write_bytes(b"nonsense" * 4096)


def pages_overwritten(directory):
    file = directory / "dry_run.sqlite3"
    with contextlib.closing(sqlite3.connect(file)) as one:
        one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"x" * (len(content) - 4096))


def no_lease_table(directory):
    with contextlib.closing(sqlite3.connect(directory / "dry_run.sqlite3")) as one:
        one.execute("DROP TABLE exchange_lease")


def of_another_program(directory):
    for file in directory.glob("dry_run.sqlite3*"):
        file.unlink()
    with contextlib.closing(sqlite3.connect(directory / "dry_run.sqlite3")) as one:
        one.execute("CREATE TABLE recipes (name)")


@sqlite_only
@pytest.mark.parametrize(
    "trouble", [nonsense_everywhere, pages_overwritten, no_lease_table, of_another_program]
)
def test_a_backup_replaces_a_database_that_cannot_be_used_and_nothing_is_lost(here, tmp_path, trouble):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    trouble(tmp_path)
    old = {one.name: one.read_bytes() for one in tmp_path.glob("dry_run.sqlite3*")}
    assert "nothing was changed." in here.run("restore", str(file), code=1)
    text = here.run("restore", str(file), "--yes")
    assert "Traceback" not in text
    (kept,) = (tmp_path / "backups").glob("damaged-*.sqlite3")
    assert f"It was moved to {kept}" in text
    header = 100  # SQLite itself notes there that the file was opened
    assert kept.read_bytes()[header:] == old["dry_run.sqlite3"][header:]
    if trouble is nonsense_everywhere:
        assert kept.with_name(f"{kept.name}-wal").read_bytes() == old["dry_run.sqlite3-wal"]
    assert here.rows("SELECT username FROM auth_user") == [("admin",)]
    assert here.rows("PRAGMA integrity_check") == [("ok",)]
    here.run("restore", str(file), "--yes")  # the usual way again


@sqlite_only
@pytest.mark.parametrize("is_missing", [True, False])
def test_a_backup_fills_a_database_that_is_empty_or_missing(here, tmp_path, is_missing):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    for one in tmp_path.glob("dry_run.sqlite3*"):
        one.unlink()
    if not is_missing:
        (tmp_path / "dry_run.sqlite3").touch()
    text = here.run("restore", str(file), "--yes")
    assert "previous database" not in text
    assert here.rows("SELECT username FROM auth_user") == [("admin",)]


def gone(directory):
    for file in directory.glob("dry_run.sqlite3*"):
        file.unlink()


def without_tables(directory):
    gone(directory)
    (directory / "dry_run.sqlite3").touch()


@sqlite_only
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (nonsense_everywhere, "The database is damaged"),
        (pages_overwritten, "The database is damaged"),
        (without_tables, "The database has not all of its tables"),
        (gone, "The database file is missing"),
    ],
)
def test_a_backup_of_what_cannot_be_read_is_a_sentence_and_leaves_no_file(here, tmp_path, trouble, words):
    trouble(tmp_path)
    place = tmp_path / "kept"
    place.mkdir()
    text = here.run("backup", str(place / "desk.backup"), code=1)
    assert words in text
    assert "Traceback" not in text
    assert list(place.iterdir()) == []


@sqlite_only
def test_a_backup_onto_a_full_disk_is_a_sentence_and_leaves_no_file(monkeypatch, tmp_path):
    database_file, place = tmp_path / "desk.sqlite3", tmp_path / "kept"
    place.mkdir()
    with contextlib.closing(sqlite3.connect(database_file)) as one:
        one.execute("PRAGMA journal_mode=WAL")
        one.execute("CREATE TABLE t (x)")
        one.execute("INSERT INTO t VALUES (zeroblob(1000000))")
        one.commit()
    monkeypatch.setitem(connection.settings_dict, "NAME", str(database_file))
    opened = sqlite._open

    def small(path, mode):
        found = opened(path, mode)
        if mode == "rw":
            found.execute("PRAGMA max_page_count = 2")
        return found

    monkeypatch.setattr(sqlite, "_open", small)
    with pytest.raises(CommandError, match=f"Backup failed: .*No space left on device: '{place}'"):
        call_command("backup", str(place / "desk.backup"))
    assert list(place.iterdir()) == []
