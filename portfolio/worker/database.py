"""Makes the database of a mode on a PostgreSQL server that has none of this name yet."""

from contextlib import closing

import psycopg2
from django.db import OperationalError, connection
from psycopg2 import sql

MAINTENANCE = "postgres"


def database_create_missing() -> bool:
    """Whether it was missing and is there now. Raises OperationalError when the server does not answer."""
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
