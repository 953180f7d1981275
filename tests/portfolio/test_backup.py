"""A backup taken while the database is written to, and the way back: by the commands themselves."""

import contextlib
import json
import sqlite3
import stat
import sys
import threading
import time
import zipfile

import pytest

from portfolio.worker.schedule import TASKS
from tests.programs import Installation
from tests.soak.kills import environment

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.django_db,  # on PostgreSQL too: nothing of the test's own database is used
]
PAIR = (
    "INSERT INTO exchange_synccursor (stream, read_until_ns) VALUES ('{0}', {0})",
    "INSERT INTO exchange_heartbeat (name, beat_at) VALUES ('{0}', '2020-01-01T00:00:00Z')",
)


class Here:
    """A desk that was set up, and its database from behind."""

    def __init__(self, installation):
        self.installation = installation

    def run(self, *words, code=0):
        found, text = self.installation.run(*words)
        assert found == code, text
        return text

    def database(self):
        return self.installation.database()

    def rows(self, sql):
        return self.installation.rows(sql)

    def write(self, *statements):
        self.installation.write(*statements)

    def bind(self, account, environment="DRY_RUN"):
        moment = "'2026-01-01T00:00:00Z'"
        self.write(
            "DELETE FROM exchange_accountbinding",
            'INSERT INTO exchange_accountbinding ("only", environment, account_uuid, key_tail, bound_at, verified_at)'
            f" VALUES (true, '{environment}', '{account}', 'tail', {moment}, {moment})",
        )


@pytest.fixture
def here(templates, tmp_path):
    here = Here(templates.installation(tmp_path, on_server=True))
    yield here
    here.installation.clear()


@contextlib.contextmanager
def writing(here):
    """Two rows in one transaction, again and again, until the block ends."""
    enough, written = threading.Event(), []

    def work():
        with here.database() as connection:
            while not enough.is_set():
                for sql in PAIR:
                    connection.cursor().execute(sql.format(len(written) + 1))
                connection.commit()
                written.append(len(written) + 1)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while len(written) < 20:
            time.sleep(0.01)
        yield written
    finally:
        enough.set()
        thread.join()


def test_a_backup_during_writes_is_of_one_moment_and_comes_back_whole(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.bind("account-1")
    with writing(here) as written:
        before = len(written)
        here.run("backup", str(file))
        during = len(written)
    assert during > before
    here.write("DELETE FROM exchange_synccursor WHERE read_until_ns < 10", "DELETE FROM auth_user")
    text = here.run("restore", str(file), "--yes")
    assert "belongs to account account-1 in DRY_RUN" in text
    numbers = sorted(int(name) for (name,) in here.rows("SELECT stream FROM exchange_synccursor"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert before <= len(numbers) <= during + 1
    assert sorted(int(name) for (name,) in here.rows("SELECT name FROM exchange_heartbeat")) == numbers
    assert here.rows("SELECT username FROM auth_user") == [("admin",)]
    assert here.rows("SELECT what, text FROM audit_entries") == [
        ("RESTORE", "desk.backup: account account-1 in DRY_RUN")
    ]
    here.write(*(sql.format(10**6) for sql in PAIR))  # the numbers of new rows go on


def test_what_was_there_before_is_kept_and_can_be_restored_in_turn(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    here.write(PAIR[0].format(7))
    text = here.run("restore", str(file), "--yes")
    assert here.rows("SELECT stream FROM exchange_synccursor") == []
    (kept,) = (tmp_path / "backups").iterdir()
    assert str(kept) in text
    here.run("restore", str(kept), "--yes")
    assert here.rows("SELECT stream FROM exchange_synccursor") == [("7",)]


def test_the_file_is_for_its_owner_alone_and_no_other_file_is_lost(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "already exists" in here.run("backup", str(file), code=1)
    assert f"The folder {tmp_path}/nowhere does not exist." in here.run(
        "backup", str(tmp_path / "nowhere" / "x"), code=1
    )
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".desk")] == []


def test_no_key_and_no_session_is_in_it(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.write(
        "INSERT INTO django_session (session_key, session_data, expire_date)"
        " VALUES ('stolen-session-key', 'data', '2099-01-01T00:00:00Z')"
    )
    here.run("backup", str(file))
    content = file.read_bytes()
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as pack:
            content = b"".join(pack.read(name) for name in pack.namelist())
    secret = (tmp_path / "secret_key").read_bytes().strip()
    assert b"admin" in content
    assert b"stolen-session-key" not in content
    assert secret not in content


def test_another_account_is_not_overwritten_unless_told(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.bind("account-1")
    here.run("backup", str(file))
    here.bind("account-2")
    text = here.run("restore", str(file), "--yes", code=1)
    assert "belongs to account account-1 in DRY_RUN, but this database to account account-2" in text
    assert here.rows("SELECT account_uuid FROM exchange_accountbinding") == [("account-2",)]
    here.run("restore", str(file), "--yes", "--replace-other")
    assert here.rows("SELECT account_uuid FROM exchange_accountbinding") == [("account-1",)]


def test_the_record_of_another_environment_is_refused(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.bind("account-1", "LIVE")
    here.run("backup", str(file))
    assert "but ENVIRONMENT is DRY_RUN" in here.run("restore", str(file), "--yes", code=1)


def test_it_is_refused_while_a_worker_lives_or_somebody_is_at_work(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    here.write(
        "INSERT INTO exchange_lease (name, holder, token, expires_at)"
        " VALUES ('cycle', 'cycle there:1 ab', 7, '2099-01-01T00:00:00Z')"
    )
    assert "cycle there:1 ab" in here.run("restore", str(file), "--yes", code=1)
    here.write("DELETE FROM exchange_lease")
    worker = here.installation.start("run_worker")
    worker.wait_until(lambda: here.rows("SELECT name FROM exchange_heartbeat"))
    assert "A worker is running" in here.run("restore", str(file), "--yes", code=1)
    worker.stop()


def test_a_kill_switch_stays_on_and_an_old_token_is_never_given_out_again(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    here.run("kill_switch", "on")
    here.write(
        "INSERT INTO exchange_lease (name, holder, token, expires_at)"
        " VALUES ('cycle', '', 41, '2020-01-01T00:00:00Z')"
    )
    here.run("restore", str(file), "--yes")
    assert "Kill switch turned on by" in here.run("kill_switch", "status")
    assert here.rows("SELECT token FROM exchange_lease") == [(43,)]


def test_no_token_of_that_day_opens_the_desk_again(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("api_token", "create", "--user=admin")
    here.run("backup", str(file))
    assert "All API tokens were revoked" in here.run("restore", str(file), "--yes")
    assert here.rows("SELECT digest FROM api_tokens") == []
    assert sorted(here.rows("SELECT what FROM audit_entries")) == [
        ("RESTORE",),
        ("TOKEN_MADE",),
        ("TOKEN_REVOKED",),
    ]


def test_no_schedule_task_or_session_of_the_backup_comes_back(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    plant(file)
    here.run("restore", str(file), "--yes")
    names = {func for (func,) in here.rows("SELECT func FROM django_q_schedule")}
    assert names == {func for func, _minutes in TASKS.values()}
    for table in ("django_session", "django_q_ormq", "django_q_task"):
        assert here.rows(f"SELECT 1 FROM {table}") == []


SCHEDULE = (9, "os.system", None, "'id'", None, "I", -1, "2020-01-01T00:00:00+00:00", "evil", 1)
SCHEDULE_COLUMNS = [
    "id",
    "func",
    "hook",
    "args",
    "kwargs",
    "schedule_type",
    "repeats",
    "next_run",
    "name",
    "minutes",
]
SESSION = ("key", "data", "2099-01-01T00:00:00+00:00")
SESSION_COLUMNS = ["session_key", "session_data", "expire_date"]


def plant(file):
    """A schedule and a session written into the backup by hand."""
    rows = {
        "django_q_schedule": (SCHEDULE_COLUMNS, SCHEDULE),
        "django_session": (SESSION_COLUMNS, SESSION),
    }
    if not zipfile.is_zipfile(file):
        with contextlib.closing(sqlite3.connect(file)) as database:
            for table, (columns, values) in rows.items():
                marks = ", ".join("?" * len(values))
                database.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
            database.commit()
        return
    with zipfile.ZipFile(file) as old:
        content = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(content["manifest.json"])
    for table, (columns, values) in rows.items():
        known = dict(zip(columns, values, strict=True))
        line = "\t".join(
            r"\N" if known.get(column) is None else str(known[column]) for column in manifest["tables"][table]
        )
        content[f"tables/{table}"] = f"{line}\n".encode()
    with zipfile.ZipFile(file, "w") as new:
        for name, data in content.items():
            new.writestr(name, data)


@pytest.mark.any_database
def test_nobody_types_the_word_so_nothing_happens(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("backup", str(file))
    assert "nothing was changed." in here.run("restore", str(file), code=1)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"SQLite format 3\0nonsense", b"PK\x05\x06" + bytes(18)]
)
@pytest.mark.any_database
def test_what_is_no_backup_is_refused(here, tmp_path, content):
    file = tmp_path / "desk.backup"
    file.write_bytes(content)
    text = here.run("restore", str(file), "--yes", code=1)
    assert "Restore failed" in text
    assert "Traceback" not in text


def test_a_backup_of_a_newer_version_is_refused(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.write(
        "INSERT INTO django_migrations (app, name, applied)"
        " VALUES ('oco', '9999_later', '2026-01-01T00:00:00Z')"
    )
    here.run("backup", str(file))
    assert "made by a newer version" in here.run("restore", str(file), "--yes", code=1)


def test_a_backup_of_an_older_version_is_brought_up_to_date(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.run("migrate", "exchange", "0002")
    here.run("backup", str(file))
    here.run("restore", str(file), "--yes")
    applied = here.rows("SELECT name FROM django_migrations WHERE app = 'exchange' AND name = '0003_audit'")
    assert applied == [("0003_audit",)]


def test_it_restores_into_an_empty_place(here, tmp_path):
    file = tmp_path / "desk.backup"
    here.write(PAIR[0].format(7))
    here.run("backup", str(file))
    there = tmp_path / "there"
    there.mkdir()
    other = Installation(there, **environment())
    code, text = other.run("restore", str(file), "--yes")
    assert code == 0, text
    assert "The previous database" not in text
    assert other.rows("SELECT stream FROM exchange_synccursor") == [("7",)]
