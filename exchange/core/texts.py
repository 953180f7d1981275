"""Texts of others, made safe to show."""

import re
from typing import Any, TextIO

# Control characters of every kind, what turns the direction of writing, and what has no width. Kept: tab, line ends.
INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
LINE_ENDS = re.compile(r"[\n\r]")


def escape_control(text: str) -> str:
    """Control characters as escapes such as `\\x1b`: a terminal would obey them, and a reader cannot see them."""
    return INVISIBLE.sub(_escape, text)


def escape_line(text: str) -> str:
    """Like `escape_control`, and it stays one line: nothing in it can look like a line of its own."""
    return LINE_ENDS.sub(_escape, escape_control(text))


class EscapingStream:
    """A console that shows control characters as escapes, except colours and the return of a progress bar."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        parts = COLOUR.split(text)
        return self._stream.write(
            "".join(part if COLOUR.fullmatch(part) else escape_control(part) for part in parts)
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode()
