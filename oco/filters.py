"""What a list of groups can be asked for; a value that makes no sense is a 400 that names it."""

from django_filters import rest_framework as filters

from oco.engine.states import State
from oco.group import OcoGroup


class GroupFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    state = filters.ChoiceFilter(choices=[(str(state), str(state)) for state in State])
    instrument_name = filters.CharFilter()

    class Meta:
        model = OcoGroup
        fields = ("state", "instrument_name")
