"""Protection waits only so long for reads that it can do without, and for no silent method twice."""

import pytest
import requests

from exchange.client.errors import ExchangeError, NotTried, Unreachable
from exchange.schemas import NameSpace
from exchange.sync.read_budget import MAX_READ_S, MIN_READ_S, ReadBudget
from tests.exchange.replay import ORDER, Clock, Replay, client_of, error_response, ok

FOUND, ORDER_ID = ok(ORDER), ORDER["order_id"]


class SlowReplay(Replay):
    """Each answer takes so many seconds, or as long as somebody waits for it."""

    def __init__(self, clock, *answers):
        super().__init__(*(answer for _, answer in answers))
        self.clock, self.seconds = clock, [seconds for seconds, _ in answers]

    def send(self, request, **options):
        seconds, limit = self.seconds.pop(0), options["timeout"][1]
        self.clock.ms += round(min(seconds, limit) * 1000)
        if seconds > limit:
            self.answers[0] = requests.ReadTimeout()
        return super().send(request, **options)


class Cycle:
    """A budget of so many seconds, and how long was waited."""

    def __init__(self, *answers, seconds):
        self.clock = Clock()
        self.replay = SlowReplay(self.clock, *answers)
        self.budget = ReadBudget(client_of(self.replay, self.clock), seconds)
        self._started = self.clock.ms

    @property
    def waited(self):
        return (self.clock.ms - self._started) / 1000

    def look_up(self, name_space=NameSpace.PLAIN):
        """The id of the order, or why there is none."""
        try:
            return self.budget.order_detail(name_space, order_id=ORDER_ID).order_id
        except ExchangeError as error:
            return type(error)


def test_a_silent_method_is_waited_for_once_and_others_are_asked():
    cycle = Cycle((60, FOUND), (0, FOUND), seconds=7)
    assert [cycle.look_up() for _ in range(3)] == [Unreachable, NotTried, NotTried]
    assert cycle.waited == MAX_READ_S
    assert cycle.look_up(NameSpace.ADVANCED) == ORDER_ID
    assert len(cycle.replay.sent) == 2


def test_slow_answers_use_up_the_time_until_the_next_part_of_the_cycle():
    cycle = Cycle(*[(3, FOUND)] * 3, seconds=7)
    assert [cycle.look_up() for _ in range(3)] == [ORDER_ID, ORDER_ID, NotTried]
    cycle.budget.grant(3)
    assert [cycle.look_up() for _ in range(2)] == [ORDER_ID, NotTried]
    assert cycle.waited == 9


def test_no_answer_is_waited_for_beyond_what_is_left():
    cycle = Cycle((3, FOUND), (60, FOUND), seconds=3 + MIN_READ_S)
    assert [cycle.look_up() for _ in range(2)] == [ORDER_ID, Unreachable]
    assert cycle.waited == 3 + MIN_READ_S
    assert cycle.replay.options[-1]["timeout"] == (MIN_READ_S, MIN_READ_S)


@pytest.mark.parametrize("code", [50001, 40101])
def test_a_quick_refusal_silences_no_method(code):
    refused = (0, error_response(code))
    cycle = Cycle(*[refused] * (3 if code == 50001 else 1), (0, FOUND), seconds=7)
    assert cycle.look_up() not in (ORDER_ID, NotTried)
    assert cycle.look_up() == ORDER_ID


def test_a_clock_that_is_set_back_gives_no_time():
    cycle = Cycle((-3600, FOUND), (0, FOUND), (0, FOUND), seconds=2)
    assert cycle.look_up() == ORDER_ID
    cycle.clock.ms += 3_600_000
    assert cycle.look_up() == ORDER_ID
    cycle.replay.seconds[0] = 1
    assert [cycle.look_up(), cycle.look_up()] == [ORDER_ID, NotTried]
