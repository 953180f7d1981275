"""`manage.py run_simulator` as a person or `make run` starts it: a process with a port and a file."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command
from websockets.sync.client import connect

from exchange.simulator.program import stream_port
from exchange.simulator.server import running_server

ROOT = Path(__file__).parents[3]


@contextmanager
def running(state: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "manage.py", "run_simulator", "--port", "0", "--state", str(state), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline(), process
    finally:
        process.kill()
        process.communicate()


def address_in(line: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/exchange/v1", line)
    assert found, line
    return found.group()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_answers_and_stops_cleanly(tmp_path: Path, name: signal.Signals) -> None:
    state = tmp_path / "simulator.json"
    with running(state) as (line, process):
        assert "nothing here is real" in line
        answer = requests.get(f"{address_in(line)}/public/get-tickers", timeout=10).json()
        assert answer["code"] == 0
        process.send_signal(name)
        rest, _ = process.communicate(timeout=10)
        assert (process.returncode, rest) == (0, "")
    assert state.stat().st_size > 10_000


def test_its_streams_are_served_by_the_same_process(tmp_path: Path) -> None:
    with running(tmp_path / "simulator.json") as (line, _):
        found = re.search(r"ws://127\.0\.0\.1:\d+/exchange/v1", line)
        assert found, line
        with connect(f"{found.group()}/market", proxy=None, compression=None) as market:
            market.send('{"id": 1, "method": "subscribe", "params": {"channels": ["mark.BTC_USD"]}}')
            assert json.loads(market.recv(timeout=10))["result"]["channel"] == "mark"


def test_a_taken_port_of_the_streams_is_reported(tmp_path: Path) -> None:
    with running_server(lambda environ, start: []) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(CommandError, match="choose another with --stream-port"):
            call_command("run_simulator", state=tmp_path / "s.json", port=0, stream_port=port)


def test_the_streams_have_the_next_port() -> None:
    assert [stream_port(8003, None), stream_port(8003, 9000), stream_port(0, None)] == [8004, 9000, 0]


def test_a_second_start_keeps_the_account(tmp_path: Path) -> None:
    state = tmp_path / "simulator.json"
    seen = []
    for _ in range(2):
        with running(state, "--seed", "5") as (line, process):
            control = address_in(line).replace("/exchange/v1", "/_control/state")
            seen.append(requests.get(control, timeout=10).json())
            process.terminate()
            process.wait(timeout=10)
    first, second = seen
    assert len(first["trades"]) > 100
    assert second["trades"][: len(first["trades"])] == first["trades"]


def test_a_broken_state_is_reported_and_not_replaced(tmp_path: Path) -> None:
    state = tmp_path / "simulator.json"
    state.write_text("{")
    with pytest.raises(CommandError, match=r"simulator\.json cannot be read"):
        call_command("run_simulator", state=state, port=0)
    assert state.read_text() == "{"


def test_a_taken_port_is_reported(tmp_path: Path) -> None:
    with (
        running_server(lambda environ, start: []) as address,
        pytest.raises(CommandError, match="choose another"),
    ):
        call_command("run_simulator", state=tmp_path / "s.json", port=int(address.rpartition(":")[2]))


def test_time_does_not_stand_still_or_run_backwards() -> None:
    for speed in ("0", "-1", "inf"):
        with pytest.raises(CommandError, match="--speed"):
            call_command("run_simulator", "--speed", speed)
