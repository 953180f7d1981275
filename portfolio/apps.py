"""Pages, API, alerts and the worker."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate


class DeskAdminConfig(admin_apps.AdminConfig):
    """Listed before our apps: the forms of the admin copy the texts of the models when they are imported."""

    default = False
    default_site = "portfolio.web.admin_site.DeskAdminSite"

    def ready(self) -> None:
        from portfolio.web.admin_site import translate_models

        translate_models()
        super().ready()


class PortfolioConfig(AppConfig):
    name = "portfolio"
    default = True
    verbose_name = "Portfolio"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from portfolio import checks  # noqa: F401  # registers itself
        from portfolio.security.sudo import record_password_given
        from portfolio.status.revisions import revisions_install
        from portfolio.web.middleware import record_login
        from portfolio.worker.task_queue import restrict_queue

        restrict_queue()
        post_migrate.connect(revisions_install, sender=self, dispatch_uid="revisions")
        user_logged_in.connect(record_password_given, dispatch_uid="password given")
        user_logged_in.connect(record_login, dispatch_uid="login in the audit log")
