"""The exchange in the same process, without a socket: an adapter for `requests`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from exchange.simulator.faults import ConnectionDropped
from exchange.simulator.server import IN_PROCESS, App

Timeout = float | tuple[float, float] | tuple[float, None] | None


class SimulatorAdapter(HTTPAdapter):
    """`session.mount("http://simulator", SimulatorAdapter(app))`.

    A dropped connection raises ConnectionError. An answer that took longer than the read timeout, by the
    exchange's clock, raises ReadTimeout after the call was processed, as on a real connection.
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        self.app = app

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Timeout = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        began = self.app.exchange.now_ms()
        try:
            status, headers, body = self._call(wsgi_environ(request))
        except ConnectionDropped as error:
            raise requests.ConnectionError("the connection was dropped", request=request) from error
        limit = timeout[1] if isinstance(timeout, tuple) else timeout
        if limit is not None and self.app.exchange.now_ms() - began > limit * 1000:
            raise requests.ReadTimeout("no answer in time", request=request)
        raw = HTTPResponse(io.BytesIO(body), headers=headers, status=status, preload_content=False)
        return self.build_response(request, raw)

    def _call(self, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        started: list[Any] = []
        body = b"".join(self.app(environ, lambda status, headers: started.extend((status, headers))))
        return int(started[0].split()[0]), dict(started[1]), body


def wsgi_environ(request: requests.PreparedRequest) -> dict[str, Any]:
    """The environment that a WSGI server would build."""
    url, body = urlsplit(request.url or ""), request.body or b""
    data = body.encode() if isinstance(body, str) else body
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return {
        "REQUEST_METHOD": request.method or "GET",
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(data)),
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        IN_PROCESS: True,
        "wsgi.input": io.BytesIO(data),
        **headers,
    }
