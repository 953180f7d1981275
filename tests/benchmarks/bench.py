"""What all benchmarks share: a database of their own, a clock for a piece of work, and tables."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRATCH = tempfile.TemporaryDirectory(prefix="bench")
os.environ.setdefault("TEST_DATABASE_URL", f"sqlite:///{Path(SCRATCH.name) / 'bench.sqlite3'}")
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402

django.setup()

import logging  # noqa: E402

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

logging.disable(logging.WARNING)  # what a cycle says is not part of the tables


@dataclass
class Measurement:
    """What a piece of work took: seconds on the wall, of this process's CPU, and waiting for the exchange."""

    wall: float = 0
    cpu: float = 0
    waited: float = 0
    queries: int = 0
    requests: int = 0

    @property
    def own(self) -> float:
        """Seconds of our own work and of the database's."""
        return self.wall - self.waited


@contextmanager
def measure() -> Iterator[Measurement]:
    """Measures a block, and counts its statements."""
    spent = Measurement()

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        spent.queries += 1
        return execute(sql, params, many, context)

    wall, cpu = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count):
        yield spent
    spent.wall, spent.cpu = time.perf_counter() - wall, time.process_time() - cpu


def new_database(name: str = "bench") -> None:
    """An empty database with our tables becomes the default one; others stay open beside it."""
    old = connections["default"]
    new = old.copy()
    if connection.vendor == "sqlite":
        new.settings_dict["NAME"] = Path(SCRATCH.name) / f"{name}.sqlite3"
    else:
        with old.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        new.settings_dict["NAME"] = name
    connections["default"] = new
    call_command("migrate", verbosity=0, interactive=False)


def title(text: str) -> None:
    database = (
        f"PostgreSQL {connection.pg_version // 10000}" if connection.vendor == "postgresql" else "SQLite"
    )
    print(f"\n{text}  [{database}]")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Right-aligned columns."""
    cells = [list(heads), *([f"{cell}" for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        print(
            "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)), flush=True
        )


def verdict(is_kept: bool) -> str:
    return "kept" if is_kept else "MISSED"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


__all__ = ["SCRATCH", "Measurement", "measure", "ms", "new_database", "settings", "table", "title", "verdict"]
