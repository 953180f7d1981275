"""A revision changes with every write to what is kept, whoever writes, and no sooner than the write is committed."""

import re
from contextlib import closing, contextmanager

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from exchange.models import Candle, ExchangeOrder, Trade
from portfolio.models import Balance
from portfolio.status.revisions import REVISED, TABLE, revised_tables, revisions_install, revisions_read
from portfolio.status.sync_status import load_last_modified
from tests import factories
from tests.support import queries

FACTORY = {
    one._meta.model: one
    for one in vars(factories).values()
    if isinstance(one, type) and issubclass(one, factories.DjangoModelFactory) and one._meta.model
}
MODELS = [(group, model) for group, models in REVISED.items() for model in models]
NAMES = [model.__name__ for _group, model in MODELS]
READ = re.compile(r'(?:FROM|JOIN) "(\w+)"')
# What is asked anew in every request, because it says who asks.
OF_THE_REQUEST = {"auth_user", "django_session", "portfolio_revisions"}
UPDATE = "UPDATE portfolio_balances SET quantity = {} WHERE currency = 'BTC'"


@pytest.mark.django_db
@pytest.mark.parametrize(("group", "model"), MODELS, ids=NAMES)
class TestEveryTable:
    def changes(self, group, write):
        before = revisions_read()
        write()
        return getattr(revisions_read(), group) != getattr(before, group)

    def test_a_new_row(self, group, model):
        assert self.changes(group, FACTORY[model])

    def test_a_row_changed_past_the_models(self, group, model):
        FACTORY[model]()
        table, key = model._meta.db_table, model._meta.pk.column
        assert self.changes(group, lambda: execute(f'UPDATE "{table}" SET "{key}" = "{key}"'))

    def test_a_row_that_goes(self, group, model):
        FACTORY[model]()
        with transaction.atomic():
            assert self.changes(group, lambda: execute(f'DELETE FROM "{model._meta.db_table}"'))
            transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("model", [ExchangeOrder, Trade, Balance, Candle])
def test_many_rows_in_one_statement(model):
    before = revisions_read()
    model.objects.bulk_create(FACTORY[model].build_batch(1))
    assert revisions_read() != before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "groups"), [("/api/dashboard/state", ("account", "beats")), ("/", tuple(REVISED))]
)
def test_what_is_kept_reads_no_table_without_a_revision(address, groups, admin_client):
    busy_account()
    with queries() as asked:
        assert admin_client.get(address).status_code == 200
    read = {table for sql in asked for table in READ.findall(sql)} - OF_THE_REQUEST
    # Of the alerts the state reads what its revision need not know: its answer shows none of them.
    shown_elsewhere = {"portfolio_alerts"} if "pages" not in groups else set()
    assert len(read) > 15
    assert read - revised_tables(groups) - shown_elsewhere == set()


def busy_account():
    """So that every query of the dashboard is made that is made only for some accounts."""
    factories.InstrumentFactory()
    factories.BalanceFactory()
    factories.SyncRunFactory()
    factories.SnapshotFactory()
    factories.WatchFactory()
    factories.SignalFactory()
    factories.CostFactory()
    factories.SaleFactory()
    factories.LegFactory()
    factories.GroupFactory(buys_back=True)
    factories.OrderFactory()
    factories.OrderFactory(filled=True)
    factories.TradeFactory(is_new=True)
    factories.PerpetualFactory()
    factories.AlertFactory()
    factories.AlertDismissalFactory()
    factories.WatermarkFactory()


@pytest.mark.django_db
def test_nothing_written_is_the_same_revision_and_one_query():
    factories.SyncRunFactory()
    before = load_last_modified()
    with queries() as asked:
        assert load_last_modified() is before
    assert len(asked) == 1


@pytest.mark.django_db
def test_a_rollback_brings_the_old_revision_back():
    factories.BalanceFactory()
    before = revisions_read()
    with transaction.atomic():
        execute(UPDATE.format(7))
        assert revisions_read() != before
        transaction.set_rollback(True)
    assert revisions_read() == before


@pytest.mark.django_db
def test_the_database_tells_again_after_its_rows_are_lost():
    execute(f"DELETE FROM {TABLE}")
    assert revisions_read() is None
    revisions_install()
    assert revisions_read() is not None


@pytest.mark.django_db
def test_a_lost_trigger_is_made_again_by_the_next_migrate():
    drop = 'DROP TRIGGER "revised_portfolio_balances_update"'
    execute(drop if connection.vendor == "sqlite" else f"{drop} ON portfolio_balances")
    factories.BalanceFactory()
    before = revisions_read()
    execute(UPDATE.format(7))
    assert revisions_read() == before
    call_command("migrate", verbosity=0)
    installed = revisions_read()
    execute(UPDATE.format(8))
    assert installed not in (before, revisions_read())


@pytest.mark.django_db(transaction=True)
class TestOtherProcesses:
    @pytest.fixture(autouse=True)
    def account(self):
        factories.InstrumentFactory()
        factories.BalanceFactory()
        factories.SyncRunFactory()

    @pytest.fixture
    def other(self):
        with closing(connection.copy()) as other:
            yield other

    def quantity(self):
        (row,) = Client().get("/api/dashboard/state").json()["portfolio"]
        return float(row["quantity"])

    def test_a_write_is_seen_once_it_is_committed(self, other):
        before = self.quantity()
        with transaction_of(other) as cursor:
            cursor.execute(UPDATE.format(7))
            assert self.quantity() == before
        assert self.quantity() == 7

    def test_so_is_one_of_another_table_in_between(self, other):
        """A transaction that began earlier and ends later is not missed."""
        if other.vendor == "sqlite":
            pytest.skip("SQLite has one writer at a time")
        with transaction_of(other) as cursor:
            cursor.execute(UPDATE.format(7))
            self.quantity()
            factories.WatchFactory()
            self.quantity()
        assert self.quantity() == 7

    def test_writers_do_not_wait_for_each_other(self, other):
        if other.vendor == "sqlite":
            pytest.skip("SQLite has one writer at a time")
        with transaction_of(other) as cursor:
            cursor.execute(UPDATE.format(7))
            with transaction.atomic():
                execute("SET LOCAL lock_timeout = '1s'")
                factories.WatchFactory()


@contextmanager
def transaction_of(other):
    other.set_autocommit(False)
    yield other.cursor()
    other.commit()


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
