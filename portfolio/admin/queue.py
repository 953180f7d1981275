"""What the worker did and will do, to look at. Changing it would let a user run code as the worker."""

from django.contrib import admin
from django.template.defaultfilters import truncatechars
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from exchange.admin.base import ReadOnlyAdmin, display

RESULT_LENGTH = 100

admin.site.unregister([Failure, OrmQ, Schedule, Success])


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "minutes", "next_run")


@admin.register(Failure, Success)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("name", "group", "func", "started", "stopped", "short_result")
    list_filter = ("group",)

    @display(description=_("result"))
    def short_result(self, task: Success) -> str:
        return "" if task.result is None else str(truncatechars(task.result, RESULT_LENGTH))
