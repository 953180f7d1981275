"""The whole desk as a person starts it: simulator, web and worker from one command."""

import contextlib
import http.client
import os
import signal
import socket
import sys

import pytest

from tests.programs import Installation, children, descendants, is_alive, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def installation(tmp_path):
    installation = Installation(tmp_path)
    yield installation
    installation.clear()


@pytest.fixture
def set_up(tmp_path, templates):
    installation = templates.installation(tmp_path)
    yield installation
    installation.clear()


def opened(installation):
    desk = installation.start("run_desk")
    desk.wait_for_text(f"Exchange Desk (DRY_RUN) is open: http://127.0.0.1:{installation.port}/")
    return desk


def status(installation, path):
    page = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=10)
    with contextlib.closing(page):
        page.request("GET", path)
        answer = page.getresponse()
        answer.read()
        return answer.status


def test_it_opens_syncs_with_the_simulator_and_ends_on_ctrl_c(installation):
    desk = opened(installation)
    assert status(installation, "/") == 200
    assert status(installation, "/static/admin/css/base.css") in (200, 404)
    password = (installation.directory / "admin_password").read_text().strip()
    block = desk.text().partition("is open:")[2]
    assert "User      admin\n" in block
    assert f"Password  in {installation.directory / 'admin_password'}\n" in block
    assert "manage.py simulate_order BTC_USD buy 100\n" in block
    assert password not in desk.text()
    desk.wait_for_text("exchange sync cycle completed")
    started = descendants(desk.pid)
    assert len(started) == len(children(desk.pid)) == 3
    assert desk.stop(signal.SIGINT) == 0
    assert desk.text().rstrip().endswith("Exchange Desk has stopped.")
    assert "Traceback" not in desk.text()
    assert not [pid for pid in started if is_alive(pid)]


def test_a_second_start_keeps_the_data(set_up):
    password = (set_up.directory / "admin_password").read_text()
    desk = opened(set_up)
    assert "Created" not in desk.text()
    assert (set_up.directory / "admin_password").read_text() == password
    assert desk.stop() == 0


def test_whatever_part_is_killed_comes_back(set_up):
    desk = opened(set_up)
    desk.wait_for_text("exchange sync cycle completed")
    before = children(desk.pid)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    for name in ("simulator", "web", "worker"):
        desk.wait_for_text(f"The {name} has ended (exit code -9). It is started again.")
    heartbeat = "SELECT beat_at FROM exchange_heartbeat"
    last = set_up.rows(heartbeat)
    wait_until(lambda: set_up.rows(heartbeat) > last, why=desk.text)
    desk.wait_until(lambda: is_answered(set_up))
    assert len(children(desk.pid)) == 3
    assert not set(before) & set(children(desk.pid))
    assert desk.stop() == 0


def is_answered(installation):
    try:
        return status(installation, "/") == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize(
    ("taken", "setting"),
    [
        ("port", "PORT"),
        ("exchange_port", "CRYPTO_COM_REST_URL"),
        ("stream_port", "CRYPTO_COM_WS_USER_URL"),
    ],
)
def test_a_port_that_is_taken_is_said_before_anything_starts(installation, taken, setting):
    port = getattr(installation, taken)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        code, text = installation.run("run_desk")
    assert code == 1
    assert f"Cannot listen on 127.0.0.1 port {port} (Address already in use)" in text
    assert f"set {setting} in .env to another port. Nothing was started." in text
    assert not (installation.directory / "dry_run.sqlite3").exists()
