"""One server, a database for each mode: made when it is missing."""

import os
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db import connection

from portfolio.worker.database import database_create_missing
from tests.programs import Installation

pytestmark = pytest.mark.django_db


def test_a_database_that_is_there_is_left_alone():
    assert database_create_missing() is False


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server")
def test_the_database_of_the_mode_is_made_once(tmp_path):
    address = urlsplit(os.environ["TEST_DATABASE_URL"])
    name = f"Desk {uuid4().hex[:8]}_"
    own = address._replace(path=f"/{name}{{mode}}".replace(" ", "%20")).geturl()
    installation = Installation(tmp_path, DATABASE_URL=own)
    code, text = installation.run("setup", "--no-static")
    assert code == 0, text
    assert f"Created the database {name}dry_run." in text
    code, text = installation.run("setup", "--no-static")
    assert (code, text) == (0, "")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server")
def test_a_server_that_is_not_there_is_still_an_error(tmp_path):
    installation = Installation(tmp_path, DATABASE_URL=f"postgres://desk@/desk?host={tmp_path}")
    code, text = installation.run("setup", "--no-static")
    assert code == 1
    assert text == (
        "The database server does not answer, or refuses the connection. "
        "Check that it runs and that DATABASE_URL is right.\n"
    )
