"""Attempts to log in are counted by name and address; after too many one waits."""

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.http import HttpRequest


class LimitedAttempts(AxesStandaloneBackend):  # type: ignore[misc]  # the package is not typed
    """Lets nobody in by itself, and refuses who tried too often. Without a request there is nobody to count."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, **credentials)
