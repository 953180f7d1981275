"""An HTTP adapter whose answers must be complete in time: urllib3's read timeout only counts from byte to byte."""

import contextlib
import socket
import threading
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

DEADLINE_S = 10.0


class _CutOff(HTTPConnection):
    """A connection that is shut down when its timeout has passed since the request, however it drips."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
        cut_off = threading.Timer(self.timeout or DEADLINE_S, _shut_down, [self.sock])
        cut_off.daemon = True
        cut_off.start()
        try:
            response = super().getresponse()
        except BaseException:
            cut_off.cancel()
            raise
        response.cut_off = cut_off  # type: ignore[attr-defined]
        return response


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _CutOffTLS(_CutOff, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _CutOff


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _CutOffTLS


class DeadlineAdapter(HTTPAdapter):
    """Keep-alive, no retries of any kind, and `deadline_s` seconds from connecting to the last byte."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        connect, read = options["timeout"]
        whole = Timeout(total=self._deadline_s, connect=connect, read=read)
        return super().send(request, **options | {"timeout": whole})


def release(response: Response) -> None:
    """The answer is complete or given up: its connection may live on, or is closed."""
    cut_off = getattr(response.raw, "cut_off", None)
    if cut_off is not None:
        cut_off.cancel()
    response.close()
