"""Slow clients occupy places, but no thread, and not for long."""

import contextlib
import http.client
import socket
import sys
import threading
import time

import pytest

from portfolio.web.server import create_web_server

SLOW = 200
HEADER = b"POST /switch/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"


def page(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['PATH_INFO']} {len(environ['wsgi.input'].read(length))}".encode()]


@contextlib.contextmanager
def serving(**options):
    server = create_web_server(page, host="127.0.0.1", port=0, **options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.close()
        server.task_dispatcher.shutdown()
        thread.join(5)


def ask(port, path="/health", seconds=5.0):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().read()


def connect(port, first=b""):
    one = socket.create_connection(("127.0.0.1", port), timeout=10)
    one.sendall(first)
    return one


@contextlib.contextmanager
def slow_clients(port, first, count=SLOW):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connect(port, first)) for _number in range(count)]


def is_closed(one, seconds):
    one.settimeout(seconds)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def read_all(one, until):
    text = ""
    while until not in text:
        text += one.recv(4096).decode()
    return text


@pytest.mark.parametrize("first", [b"", b"G", HEADER, HEADER + b"\r\nreason="])
def test_200_of_them_delay_nobody(first):
    with serving() as port, slow_clients(port, first):
        begun = time.monotonic()
        assert [ask(port, f"/{number}") for number in range(20)] == [b"/%d 0" % n for n in range(20)]
        assert time.monotonic() - begun < 5


def trickle(one, enough):
    with contextlib.suppress(OSError):
        while not enough.wait(0.1):
            one.sendall(b"x")


def test_a_request_that_trickles_in_has_an_end():
    enough = threading.Event()
    with serving(request_seconds=1) as port, connect(port, b"GET / HTTP/1.1\r\nX-Slow: ") as one:
        sender = threading.Thread(target=trickle, args=(one, enough))
        sender.start()
        begun = time.monotonic()
        assert is_closed(one, 8)
        assert time.monotonic() - begun < 8
        enough.set()
        sender.join()


def test_a_body_that_trickles_in_has_an_end():
    enough = threading.Event()
    with serving(request_seconds=1) as port, connect(port, HEADER + b"\r\n") as one:
        sender = threading.Thread(target=trickle, args=(one, enough))
        sender.start()
        assert is_closed(one, 8)
        enough.set()
        sender.join()


def test_when_every_place_is_taken_the_oldest_slow_one_makes_room():
    with serving(places=40) as port, slow_clients(port, HEADER, count=60) as clients:
        assert ask(port) == b"/health 0"
        assert is_closed(clients[0], 5)
        assert not is_closed(clients[-1], 0.1)


def test_a_request_at_normal_speed_is_complete():
    with serving() as port, connect(port, HEADER + b"\r\n" + b"x" * 400) as one:
        time.sleep(0.2)
        one.sendall(b"x" * 600)
        assert "/switch/ 1000" in read_all(one, until="1000")


def test_an_enormous_body_is_refused_before_it_is_stored():
    with (
        serving() as port,
        connect(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n") as one,
    ):
        assert b" 413 " in one.recv(4096)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_desk_is_reached_behind_200_of_them(tmp_path, templates):
    installation = templates.installation(tmp_path)
    assert installation.run("collectstatic", "--no-input", "--ignore=redoc")[0] == 0
    web = installation.start("run_web")
    try:
        web.wait_for_text("The web server listens")
        with slow_clients(installation.port, HEADER):
            assert b'"mode": "DRY_RUN"' in ask(installation.port, "/health", 20)
            begun = time.monotonic()
            assert b"<form" in ask(installation.port, "/login/?next=/switch/", 20)
            assert time.monotonic() - begun < 10
        assert web.stop() == 0
        assert "Traceback" not in web.text()
    finally:
        installation.clear()
