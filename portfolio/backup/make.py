"""Writes the file: whole or not at all, and for its owner alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from portfolio.backup import postgres, sqlite


def backup_make(*, file: Path) -> None:
    """One moment of the database into `file`, while everything goes on. Raises OSError."""
    if file.exists():
        raise FileExistsError(f"{file} is there already.")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {file.parent}.")
    with _private(file) as draft:
        (sqlite if connection.vendor == "sqlite" else postgres).save(draft)


@contextmanager
def _private(file: Path) -> Iterator[Path]:
    """A draft beside `file`, mode 0600 from its first byte; it gets the name when it is complete and on the disk."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
