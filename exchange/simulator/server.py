"""The simulator on a real loopback port, for the dry run and for tests that want a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Thread
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

THREADS = 4


class Server:
    """A WSGI app bound to a loopback port. The port is taken at once; `run` answers until `stop`."""

    def __init__(self, app: Any, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 takes any free one. Raises ValueError off loopback, OSError when the port is taken."""
        if not ip_address(host).is_loopback:
            raise ValueError(f"The simulator only serves this machine, not {host}")
        bound = socket.create_server((host, port))
        self._server = create_server(app, sockets=[bound], threads=THREADS, ident=None)
        self.address = f"http://{host}:{self._server.effective_port}"

    def run(self) -> None:
        """Returns after `stop`, or after a KeyboardInterrupt."""
        self._server.run()
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._server._map)

    def stop(self) -> None:
        """From any other thread: closing happens in the serving one."""
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._server._map))


def serve(app: Any, host: str = "127.0.0.1", port: int = 0) -> Server:
    return Server(app, host=host, port=port)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app in a thread on any free port; gives its address."""
    server = serve(app)
    thread = Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()
