"""Creates the PostgreSQL database of a mode when the server does not have it yet; keeps connections open."""

from contextlib import closing

import psycopg2
from django.db import OperationalError, connection, connections
from psycopg2 import sql

MAINTENANCE = "postgres"
KEPT_SECONDS = 60


def database_create_missing() -> bool:
    """Returns whether it was created. Raises OperationalError when the server does not respond."""
    if connection.vendor != "postgresql":
        return False
    try:
        connection.ensure_connection()
    except OperationalError:
        if _create():
            return True
        raise
    return False


def _create() -> bool:
    name = connection.settings_dict["NAME"]
    parameters = {**connection.get_connection_params(), "dbname": MAINTENANCE}
    try:
        server = psycopg2.connect(**parameters)
    except psycopg2.OperationalError:
        return False
    with closing(server), server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is not None:
            return False
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def connections_keep() -> None:
    """For a process with few threads, before they begin: each keeps its connection for KEPT_SECONDS, and checks that it
    still works.
    """
    connections.settings["default"]["CONN_MAX_AGE"] = KEPT_SECONDS
