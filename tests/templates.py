"""Tables, and an installation after `setup`: made once for all processes of a test run, and copied from then on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.db import connection

from tests.programs import Installation
from tests.soak.kills import environment

SERVER = os.environ.get("TEST_DATABASE_URL", "")


class Templates:
    """`shared` is a directory that all processes of one run use."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._before = str(settings.DATABASES["default"]["NAME"])
        self._tables = shared / "tables"  # a database of SQLite, or the name of one on the server

    def create_test_database(self) -> None:
        """The database of this process. The first process runs the migrations."""
        with self._locked():
            if self._tables.exists():
                self._copy_tables()
            else:
                self._create_tables()

    def destroy_test_database(self) -> None:
        connection.creation.destroy_test_db(self._before, verbosity=0)

    def installation(self, directory: Path, *, on_server: bool = False, **values: str) -> Installation:
        """An installation after `setup --no-static`; `on_server`: on the server of the tests, if they have one."""
        is_on_server = on_server and bool(SERVER)
        template = self._shared / ("installation-on-server" if is_on_server else "installation")
        with self._locked():
            if not template.exists():
                self._set_up(template, is_on_server=is_on_server)
        shutil.copytree(template, directory, dirs_exist_ok=True)
        if is_on_server:
            values = environment((directory / "database").read_text()) | values
        elif on_server:
            values = environment() | values
        return Installation(directory, **values)

    def _create_tables(self) -> None:
        name = connection.creation.create_test_db(verbosity=0, serialize=False)
        connection.close()
        if SERVER:
            execute_on_server(f'CREATE DATABASE "{name}_template" TEMPLATE "{name}"')
            self._tables.write_text(f"{name}_template")
        else:
            shutil.copyfile(name, self._tables)

    def _copy_tables(self) -> None:
        name = str(connection.creation._get_test_db_name())
        connection.close()
        if SERVER:
            execute_on_server(f'DROP DATABASE IF EXISTS "{name}"')
            execute_on_server(f'CREATE DATABASE "{name}" TEMPLATE "{self._tables.read_text()}"')
        else:
            shutil.copyfile(self._tables, name)
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name

    def _set_up(self, template: Path, *, is_on_server: bool) -> None:
        part = template.with_suffix(".part")
        part.mkdir()
        values = {}
        if is_on_server:
            values = environment(self._tables.read_text() if self._tables.exists() else "template1")
        elif not SERVER and self._tables.exists():
            shutil.copyfile(self._tables, part / "dry_run.sqlite3")
        code, text = Installation(part, **values).run("setup", "--no-static")
        assert code == 0, text
        if is_on_server:
            (part / "database").write_text(urlsplit(values["DATABASE_URL"]).path.strip("/"))
        part.rename(template)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._shared / "templates.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def execute_on_server(sql: str) -> None:
    with contextlib.closing(psycopg2.connect(SERVER)) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute(sql)
