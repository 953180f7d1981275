"""A desk as a person starts it, and the exchange behind it, for tests that look through a browser."""

import json
import time
import urllib.request

from tests.programs import Installation

USER = "admin"


class RunningDesk:
    """Simulator, web and worker. `exchange` speaks to the simulator's own controls."""

    def __init__(self, directory, **values):
        self.installation = Installation(directory, SYNC_INTERVAL_SECONDS="30", **values)
        self.program = self.installation.start("run_desk")
        self.program.wait_until(lambda: "is open" in self.program.text())
        self.program.wait_until(lambda: "exchange sync cycle completed" in self.program.text())
        self.address = f"http://127.0.0.1:{self.installation.port}"
        self.password = (directory / "admin_password").read_text().strip()

    def exchange(self, verb, **values):
        """One of the simulator's controls."""
        address = f"http://127.0.0.1:{self.installation.exchange_port}/_control/{verb}"
        asked = urllib.request.Request(
            address, json.dumps(values).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)

    def order(self, method="private/create-order", **params):
        """As by hand on the exchange's own page."""
        return self.exchange("order", method=method, params=params)

    def state(self):
        with urllib.request.urlopen(f"{self.address}/api/dashboard/state", timeout=10) as answer:
            return json.load(answer)

    def sync(self):
        """A whole cycle, in a process of its own."""
        for _ in range(20):
            code, text = self.installation.run("sync_exchange")
            if code != 3:
                assert code == 0, text
                return
            time.sleep(0.5)
        raise AssertionError("Another cycle held the lease for 10 s.")

    def close(self):
        self.installation.clear()
