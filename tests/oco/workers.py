"""Complete worker programs with a simulator over HTTP, several on one database; one is killed within a cycle."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from exchange.simulator import control
from exchange.simulator.server import App, running_server
from tests.oco.kill_run import KillRun, static_exchange
from tests.programs import Installation, Program
from tests.soak.kills import environment

CREATE = "private/advanced/create-oco"


class ObservedApp(App):
    """Calls `on_call(method, after)` before and after each request."""

    def on_call(self, method: str, after: bool) -> None:
        """Replaced by tests."""

    def handle_api_call(self, request):  # type: ignore[no-untyped-def]
        self.on_call(request.method, False)
        reply = super().handle_api_call(request)
        self.on_call(request.method, True)
        return reply


class WorkerPool:
    """One exchange, one database, and several workers."""

    def __init__(self, app: ObservedApp, installation: Installation) -> None:
        self.app, self.installation = app, installation
        self.record = KillRun(app, None, 1)  # type: ignore[arg-type]
        self.workers: list[Program] = []

    def start(self, count: int = 1) -> None:
        self.workers += [self.installation.start("run_worker", "--skip-checks") for _ in range(count)]

    def lease_holder(self) -> Program | None:
        """The worker that holds the lease."""
        ((holder,),) = self.installation.rows("SELECT holder FROM exchange_lease WHERE name = 'cycle'") or [
            ("",)
        ]
        pid = int(holder.rpartition(" ")[0].rpartition(":")[2] or 0)
        return next((one for one in self.workers if pid == one.pid), None)

    def kill_in_cycle(self, *, after: bool) -> list[Program]:
        """Kill the worker that next places a pair, before or after it is processed. Returns the killed ones."""
        died: list[Program] = []

        def shoot(method: str, is_after: bool) -> None:
            if method == CREATE and is_after == after and not died:
                died.append(self.lease_holder())
                died[0].kill_group()

        self.app.on_call = shoot  # type: ignore[method-assign]
        return died

    def buy(self, quantity: str) -> None:
        with self.app.exchange.lock:
            self.app.exchange.advance()
            order = {"instrument_name": "BTC_USD", "side": "BUY", "type": "MARKET", "quantity": quantity}
            control.run(self.app.exchange, "order", {"method": "private/create-order", "params": order})

    def completed_cycles(self) -> int:
        """The number of complete cycles so far."""
        return int(self.installation.rows("SELECT count(*) FROM sync_runs WHERE status = 'OK'")[0][0])

    def wait_until(self, ready, seconds: float = 60) -> float:  # type: ignore[no-untyped-def]
        """Returns the seconds it took."""
        began = time.monotonic()
        while not ready():
            text = "\n".join(worker.text() for worker in self.workers)
            assert time.monotonic() < began + seconds, text
            time.sleep(0.05)
        return time.monotonic() - began

    def cycles(self, count: int, seconds: float = 60) -> float:
        goal = self.completed_cycles() + count
        return self.wait_until(lambda: self.completed_cycles() >= goal, seconds)

    def pairs(self) -> int:
        """The number of pairs that we ever placed."""
        return len({order.list_id for order in self.record.ours()})

    def is_covered(self) -> bool:
        return self.record.violations(at_rest=True) == []

    def holdings(self, currency: str = "BTC") -> Decimal:
        return self.app.exchange.ledger.balance_of(currency)


@contextlib.contextmanager
def worker_pool(
    directory: Path, set_up: Callable[..., Installation] | None = None, **values: str
) -> Iterator[WorkerPool]:
    """`set_up` makes the installation; without it, `setup` does."""
    app = ObservedApp(static_exchange())
    with running_server(app) as address:
        installation = (set_up or _set_up)(
            directory, **{**values, "CRYPTO_COM_REST_URL": f"{address}/exchange/v1"}
        )
        try:
            yield WorkerPool(app, installation)
        finally:
            installation.clear()


def _set_up(directory: Path, **values: str) -> Installation:
    installation = Installation(directory, **{**environment(), **values})
    code, text = installation.run("setup", "--no-static", "--skip-checks")
    assert code == 0, text
    return installation
