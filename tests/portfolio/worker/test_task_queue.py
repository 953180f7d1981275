"""Whatever stands in the tables of the queue, only our own tasks run, and no pickle is read."""

import base64
import inspect
import pickle
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.core import signing as django_signing
from django.db import connection, transaction
from django.urls import NoReverseMatch, reverse
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule, Task
from django_q.monitor import save_task
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from portfolio import tasks
from portfolio.worker.queues import execute, take
from portfolio.worker.schedule import SYNC, TASKS, run_due_schedules, schedules_create_missing
from portfolio.worker.task_queue import (
    ALERTS,
    BACKGROUND,
    FUNCTIONS,
    PROTECTION,
    QUEUES,
    TaskBroker,
    on_wake,
    wake,
)
from tests.support import utc

pytestmark = pytest.mark.django_db
NOW = utc("2026-05-01 12:00:00")


class Trap:
    """Runs when it is unpickled."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return open, (self.file, "w")


@pytest.fixture(autouse=True)
def one_connection(monkeypatch):
    for module in ("scheduler", "monitor"):
        monkeypatch.setattr(f"django_q.{module}.close_old_django_connections", lambda: None)


def taken():
    """What would be run next, of each queue."""
    return [task for name in QUEUES if (task := take(TaskBroker(name))) is not None]


def test_the_functions_that_may_run_are_those_without_a_way_to_anything_else():
    own = {
        f"portfolio.tasks.{name}"
        for name, one in vars(tasks).items()
        if inspect.isfunction(one) and one.__module__ == "portfolio.tasks" and not name.startswith("_")
    }
    assert own - {"portfolio.tasks.slice_length"} == FUNCTIONS


def test_our_task_reaches_a_worker_as_json():
    async_task("portfolio.tasks.sync_now", "alice", "req-1", group="sync")
    payload = OrmQ.objects.get().payload
    assert django_signing.loads(payload, key=Conf.SECRET_KEY, salt=Conf.PREFIX)["args"] == ["alice", "req-1"]
    (task,) = taken()
    assert (task["func"], task["args"]) == ("portfolio.tasks.sync_now", ["alice", "req-1"])


@pytest.mark.parametrize(
    "words",
    [
        {"func": "os.system"},
        {"func": "portfolio.tasks.async_task"},
        {"func": "portfolio.tasks._queue_history"},
        {"func": "portfolio.tasks.tidy_up", "hook": "os.system"},
        {"func": "portfolio.tasks.tidy_up", "chain": [["os.system", ["id"], {}]]},
        {"func": "portfolio.tasks.tidy_up", "cached": True},
        {"func": ["os.system"]},
    ],
)
def test_another_function_a_hook_or_a_chain_never_reaches_a_worker(words, caplog):
    func = words.pop("func")
    async_task(func, **words) if isinstance(func, str) else TaskBroker().enqueue(
        SignedPackage.dumps({"id": "1", "name": "x", "func": func, "args": [], "kwargs": {}})
    )
    assert taken() == []
    assert OrmQ.objects.count() == 0
    assert "a task was refused" in caplog.text


@pytest.mark.parametrize(("func", "succeeds"), [("os.getpid", False), ("portfolio.tasks.tidy_up", True)])
def test_it_is_asked_again_where_a_task_is_executed(func, succeeds, monkeypatch):
    monkeypatch.setattr("django_q.worker.close_old_django_connections", lambda: None)
    result = execute({"id": "1", "name": "x", "func": func, "args": [], "kwargs": {}})
    assert result["success"] == succeeds


def test_a_pickle_in_the_queue_is_not_read_although_it_is_signed(tmp_path):
    class Pickled:
        dumps = staticmethod(pickle.dumps)

    trap = Trap(tmp_path / "ran")
    payload = django_signing.dumps(trap, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=Pickled)
    TaskBroker().enqueue(payload)
    assert taken() == []
    assert list(tmp_path.iterdir()) == []
    assert OrmQ.objects.count() == 0


@pytest.mark.parametrize("payload", ["", "nonsense", "a:b:c"])
def test_what_is_not_signed_is_dropped(payload):
    TaskBroker().enqueue(payload)
    assert taken() == []
    assert OrmQ.objects.count() == 0


def test_a_pickle_among_the_results_is_not_read(tmp_path, admin_client):
    trap = base64.b64encode(pickle.dumps(Trap(tmp_path / "ran"))).decode()
    save_task(finished("1"), TaskBroker())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET result = %s, args = %s, kwargs = %s", [trap] * 3)
    assert Task.objects.get().result == trap
    assert trap[:20] in admin_client.get(reverse("admin:django_q_success_changelist")).content.decode()
    save_task(finished("2"), TaskBroker())
    assert list(tmp_path.iterdir()) == []


def test_a_result_comes_back_as_it_was():
    save_task(finished("1"), TaskBroker())
    assert (Task.objects.get().result, Task.objects.get().args) == ("2 rows", ["alice"])


def finished(number):
    now = str(datetime.now(tz=UTC))
    return {
        "id": number * 32,
        "name": number,
        "func": "portfolio.tasks.tidy_up",
        "args": ["alice"],
        "kwargs": {},
        "started": now,
        "stopped": now,
        "result": "2 rows",
        "success": True,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"func": "os.system", "args": "'id'"},
        {"hook": "os.system"},
        {"args": "'id'"},
        {"kwargs": "{'q_options': {'hook': 'os.system'}}"},
    ],
)
def test_a_changed_schedule_is_set_right_before_it_runs(change):
    schedules_create_missing(now=NOW)
    Schedule.objects.filter(name=SYNC).update(**change)
    run_due_schedules(now=datetime.now(tz=UTC), interval=datetime.resolution * 60_000_000)
    row = Schedule.objects.get(name=SYNC)
    assert (row.func, row.args, row.kwargs, row.hook) == (TASKS[SYNC][0], None, None, None)
    assert len(taken()) == len(QUEUES)
    assert {task.func() for task in OrmQ.objects.all()} <= FUNCTIONS


def test_a_schedule_of_another_name_never_runs():
    schedules_create_missing(now=NOW)
    Schedule.objects.create(name="mine", func="os.system", args="'id'", next_run=NOW)
    run_due_schedules(now=datetime.now(tz=UTC), interval=datetime.resolution * 60_000_000)
    assert set(Schedule.objects.values_list("name", flat=True)) == set(TASKS)
    assert "os.system" not in {task.func() for task in OrmQ.objects.all()}


def test_nobody_changes_the_queue_in_the_admin(admin_client, django_user_model, client):
    schedules_create_missing(now=NOW)
    schedule = Schedule.objects.get(name=SYNC)
    staff = django_user_model.objects.create_user("staff", password="x", is_staff=True)
    staff.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=["django_q", "exchange"])
    )
    client.force_login(staff)
    for browser in (admin_client, client):
        assert browser.get(reverse("admin:django_q_schedule_changelist")).status_code == 200
        change = reverse("admin:django_q_schedule_change", args=(schedule.pk,))
        assert browser.get(change).status_code == 200
        add, delete = (
            reverse("admin:django_q_schedule_add"),
            reverse("admin:django_q_schedule_delete", args=(schedule.pk,)),
        )
        changelist = reverse("admin:django_q_schedule_changelist")
        action = {"action": "delete_selected", "_selected_action": schedule.pk, "post": "yes"}
        browser.post(changelist, action)
        for url in (add, change, delete):
            answer = browser.post(url, {"func": "os.system", "post": "yes"})
            assert answer.status_code == 403 or answer.templates[0].name == "sudo.html"
    assert Schedule.objects.get(name=SYNC).func == TASKS[SYNC][0]
    with pytest.raises(NoReverseMatch):
        reverse("admin:django_q_ormq_changelist")


@pytest.mark.parametrize(
    ("func", "queue"),
    [
        ("sync_now", PROTECTION),
        ("sync_stream", PROTECTION),
        ("send_alerts", ALERTS),
        ("read_market", BACKGROUND),
    ],
)
def test_a_task_waits_in_the_queue_of_its_kind(func, queue):
    async_task(f"portfolio.tasks.{func}")
    assert TaskBroker().waiting() == [queue]
    assert [name for name in QUEUES if take(TaskBroker(name))] == [queue]


def test_a_task_that_an_earlier_version_stored_is_passed_on():
    async_task("portfolio.tasks.send_alerts")
    OrmQ.objects.update(key=PROTECTION)
    assert take(TaskBroker(PROTECTION)) is None
    assert take(TaskBroker(ALERTS))["func"] == "portfolio.tasks.send_alerts"


@pytest.mark.django_db(transaction=True)
def test_a_task_of_this_process_wakes_its_queue_when_it_is_stored():
    calls = []
    on_wake(ALERTS, lambda: calls.append(OrmQ.objects.count()))
    try:
        with transaction.atomic():
            async_task("portfolio.tasks.send_alerts")
            assert calls == []
        assert calls == [1]
        wake(PROTECTION)  # nobody listens: without effect
    finally:
        on_wake(ALERTS, lambda: None)
