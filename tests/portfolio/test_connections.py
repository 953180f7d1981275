"""Many requests at once use few connections of the database, and keep none."""

import contextlib
import http.client
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection, connections

from portfolio.web.server import MAX_REQUESTS, LimitedApplication
from portfolio.worker.database import KEPT_SECONDS, connections_keep
from tests.programs import Installation, wait_until

CLIENTS = 150  # more than the server of the tests accepts connections


def counting_application(reached: threading.Barrier):
    running, most, lock = [], [], threading.Lock()

    def application(environ, start_response):
        with lock:
            running.append(1)
            most.append(len(running))
        with contextlib.suppress(threading.BrokenBarrierError):
            reached.wait(0.2)
        with lock:
            running.pop()
        return [b"x"]

    return application, most


def test_no_more_requests_are_worked_on_than_there_are_places():
    application, most = counting_application(threading.Barrier(4))
    limited = LimitedApplication(application, most=3)

    def ask(_number):
        response = limited({}, lambda *_: None)
        assert b"".join(response) == b"x"
        response.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(ask, range(24)))
    assert max(most) == 3


def test_a_place_is_free_again_after_an_error_and_once_after_two_closes():
    def failing(environ, start_response):
        raise ZeroDivisionError

    broken = LimitedApplication(failing, most=1)
    for _attempt in range(3):
        with pytest.raises(ZeroDivisionError):
            broken({}, lambda *_: None)
    limited = LimitedApplication(lambda *_: [b"x"], most=1)
    for _attempt in range(3):
        response = limited({}, lambda *_: None)
        response.close()
        response.close()


def test_the_response_of_the_application_is_closed():
    closed = []

    class Chunks(list):
        def close(self):
            closed.append(1)

    LimitedApplication(lambda *_: Chunks([b"x"]))({}, lambda *_: None).close()
    assert closed == [1]


def test_connections_are_kept_only_where_a_process_asks_for_it(monkeypatch):
    monkeypatch.setitem(connections.settings, "default", dict(connections.settings["default"]))
    assert connections.settings["default"]["CONN_MAX_AGE"] == 0
    connections_keep()
    assert connections.create_connection("default").settings_dict["CONN_MAX_AGE"] == KEPT_SECONDS


@pytest.fixture
def installation(db, tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no limit of connections")
    server = urlsplit(os.environ["TEST_DATABASE_URL"])
    name = f"connections_{uuid4().hex[:8]}"  # the other worker of the tests may do the same
    own = Installation(tmp_path, DATABASE_URL=urlunsplit(server._replace(path=f"/{name}_{{mode}}")))
    own.server, own.name = urlunsplit(server), f"{name}_dry_run"
    yield own
    own.clear()
    with contextlib.closing(psycopg2.connect(own.server)) as admin, admin.cursor() as cursor:
        admin.autocommit = True
        cursor.execute(f"DROP DATABASE IF EXISTS {own.name} WITH (FORCE)")


def used_connections(installation):
    with contextlib.closing(psycopg2.connect(installation.server)) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [installation.name])
        return cursor.fetchone()[0]


def most_connections(installation):
    with contextlib.closing(psycopg2.connect(installation.server)) as admin, admin.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "words", [("runserver", "--noreload", "--insecure"), ("run_web",)], ids=["runserver", "run_web"]
)
def test_clients_that_stay_connected_hold_no_connection_of_the_database(installation, words):
    """Each asks once, at the same time as all others, and then leaves its connection to the web server open."""
    assert most_connections(installation) < CLIENTS
    assert installation.run("setup", "--no-static")[0] == 0
    command, *options = words
    address = [f"127.0.0.1:{installation.port}"] if command == "runserver" else []
    program = installation.start(command, *options, *address)

    def is_up():
        with contextlib.suppress(OSError), contextlib.closing(client()) as one:
            ask(one)
            return True
        return False

    def client():
        return http.client.HTTPConnection("127.0.0.1", installation.port, timeout=120)

    def ask(one):
        one.request("GET", "/api/balances/")
        answer = one.getresponse()
        answer.read()
        return answer.status

    program.wait_until(is_up)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(CLIENTS) as pool:
        clients = [stack.enter_context(contextlib.closing(client())) for _ in range(CLIENTS)]
        assert set(pool.map(ask, clients)) == {200}
        wait_until(lambda: used_connections(installation) <= MAX_REQUESTS)
    assert "too many clients" not in program.text()
