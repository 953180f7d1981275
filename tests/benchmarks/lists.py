"""`python -m tests.benchmarks.lists`: pages of the API and the admin, with 10,000 and with 1,000,000 orders."""

from __future__ import annotations

from statistics import median
from typing import Any

from tests.benchmarks import bench
from tests.benchmarks.seed import RARE_COUNT, old_account, old_journal

from django.contrib.auth.models import User  # isort: skip
from django.db import connections  # isort: skip
from django.test import Client  # isort: skip

STORED = (10_000, 1_000_000)
ROUNDS = 5
ORDERS, TRADES = "/api/orders/", "/api/trades/"
ADMIN, ADMIN_TRADES = "/admin/exchange/exchangeorder/", "/admin/exchange/trade/"
AUDIT = "/admin/exchange/auditentry/"
PAGES = (
    "/",
    "/api/dashboard/state",
    "/portfolio/",
    *(f"/orders/{term}" for term in ("", "?show=open&instrument=COIN3_USD", "?role=STOP_LOSS&side=SELL")),
    *(f"/history/{term}" for term in ("", "?instrument=COIN3_USD", "?until=2020-01-01")),
    ORDERS,
    *(f"{ORDERS}?status={status}" for status in ("ACTIVE", "UNKNOWN", "FILLED", "EXPIRED")),
    f"{ORDERS}?side=BUY",
    f"{ORDERS}?instrument_name=COIN3_USD",
    f"{ORDERS}?instrument_name=NONE_USD",
    *(f"{ORDERS}?order_role={role}" for role in ("ENTRY", "STOP_LOSS")),
    *(f"{ORDERS}?origin={origin}" for origin in ("OURS", "FOREIGN")),
    f"{ORDERS}?oco_group_id=00000000-0000-4000-8000-000000000000",
    *(f"{ORDERS}?ordering={term}" for term in ("created_at", "-created_at", "updated_at")),
    f"{ORDERS}?created_before=2020-01-01T00:00:00Z",
    f"{ORDERS}?created_after=2040-01-01T00:00:00Z",
    TRADES,
    f"{TRADES}?instrument_name=COIN3_USD",
    f"{TRADES}?order_id=1000000000000000007",
    ADMIN,
    *(f"{ADMIN}?state={state}" for state in ("open", "executed", "unknown", "partly")),
    *(f"{ADMIN}?status={status}" for status in ("ACTIVE", "EXPIRED")),
    *(f"{ADMIN}?{word}" for word in ("order_role__exact=STOP_LOSS", "origin__exact=OURS")),
    f"{ADMIN}?name_space__exact=ADVANCED",
    f"{ADMIN}?q=1000000000000000007",
    f"{ADMIN}?q=nothing",
    *(f"{ADMIN}?{word}" for word in ("side=SELL", "within=day", "state=executed&within=week")),
    ADMIN_TRADES,
    *(f"{ADMIN_TRADES}?{word}" for word in ("q=nothing", "side=SELL", "within=day", "dealt=no")),
    *(f"/admin/{name}/" for name in ("oco/ocogroup", "oco/ocoevent", "oco/lottrade", "portfolio/alert")),
    AUDIT,
    *(f"{AUDIT}?{word}" for word in ("who=people", "who=doubtful", "what__exact=POLICY", "q=nobody")),
)


def main() -> None:
    bench.title(
        f"Pages with {STORED[0]:,} and {STORED[1]:,} orders, of which {RARE_COUNT} are open, expired, ours …"
    )
    found = {stored: _measured(stored) for stored in STORED}
    small, large = found.values()
    rows = [_row(page, small[page], large[page]) for page in PAGES]
    bench.table(["page", "statements", *(f"{stored:,}" for stored in STORED), "ratio"], rows)


def _row(page: str, small: bench.Measurement, large: bench.Measurement) -> list[object]:
    ratio = f"{large.wall / small.wall:.1f}"
    return [page, large.queries, bench.ms(small.wall), bench.ms(large.wall), ratio]


def _measured(stored: int) -> dict[str, bench.Measurement]:
    bench.new_database(f"stored_{stored}")
    old_account(stored, rare=True)
    old_journal(stored // 10)
    connections["default"].cursor().close()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench"))
    return {page: _page(client, page) for page in PAGES}


def _page(client: Any, page: str) -> bench.Measurement:
    all_spent = []
    for _ in range(ROUNDS):
        with bench.measure() as spent:
            answer = client.get(page)
        if answer.status_code != 200:
            raise SystemExit(f"{page}: HTTP {answer.status_code}")
        all_spent.append(spent)
    return bench.Measurement(wall=median(spent.wall for spent in all_spent), queries=all_spent[-1].queries)


if __name__ == "__main__":
    main()
