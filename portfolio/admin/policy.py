"""The policies, where it is known what is held."""

from django.contrib import admin

from oco.admin import PolicyAdmin
from oco.models import ProtectionPolicy
from oco.presentation.previews import Holdings
from portfolio.dashboard.selectors import holdings_now


@admin.register(ProtectionPolicy)
class HeldPolicyAdmin(PolicyAdmin):
    """Registered here, where it is known what is held."""

    def holdings(self) -> Holdings:
        return holdings_now()
