"""What a browser with an empty cache loads with a page, in bytes as they come over the wire."""

import gzip
import re
from collections.abc import Callable, Mapping

Fetch = Callable[[str], tuple[Mapping[str, str], bytes]]
"""Asks for an address with `Accept-Encoding: gzip`; returns the headers and the body as it came."""


def first_load(fetch: Fetch, address: str = "/") -> dict[str, int]:
    """Bytes of headers and body by address: the page, then each file that it names."""
    headers, body = fetch(address)
    html = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
    found = re.findall(r'(?:src|href)="(/static/[^"#]+)', html.decode())
    files = dict.fromkeys(name for name in found if "LICENSE" not in name)
    return {address: _bytes(headers, body)} | {name: _bytes(*fetch(name)) for name in files}


def _bytes(headers: Mapping[str, str], body: bytes) -> int:
    return len(body) + sum(len(f"{name}: {value}\r\n") for name, value in headers.items())
