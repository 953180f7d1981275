"""The rules about imports, read from the source with `ast`."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from tests.benchmarks.structure import cycles, longest_chain, read_tree

ROOT = Path(__file__).parent.parent
APPS = ("exchange", "oco", "portfolio")  # from the bottom up: each imports only itself and those below
NAME_THE_SETTINGS = {"manage", "config.wsgi", "config.asgi"}  # they set one variable, no more

# What a module without a world around it may not touch, itself or through another module of ours.
WORLD = (
    "django.db",
    "django.conf",
    "django.apps",
    "django.utils.timezone",
    "django_q",
    "logging",
    "os",
    "sys",
)
WORLD += ("requests", "urllib3", "urllib.request", "http.client", "socket", "subprocess", "threading", "time")
WORLD += ("multiprocessing", "waitress", "websockets")
CLOCKS = ("datetime.now", "datetime.utcnow", "date.today", "timezone.now")
PURE = [
    *(
        f"exchange.client.{one}"
        for one in ("auth", "clock", "error_codes", "errors", "ratelimit", "responses", "retries")
    ),
    *(f"exchange.core.{one}" for one in ("instrument_names", "reasons", "times")),
    "exchange.schemas",
    "exchange.schemas.*",
    "exchange.sync.order_merge",
    "exchange.sync.pagination",
    "exchange.simulator.*",
    "oco.engine.*",
    *(f"oco.presentation.{one}" for one in ("banners", "reasons", "risk_reward")),
    *(f"portfolio.signals.{one}" for one in ("indicators", "strategy")),
    *(f"portfolio.accounting.{one}" for one in ("valuation", "cost_basis", "balance_drift")),
    *(f"portfolio.web.{one}" for one in ("charts", "preferences")),
]
# The rim of the simulator: its lock, its file, its two doors, and what puts them together.
RIM = {
    f"exchange.simulator.{one}"
    for one in (
        "__main__",
        "adapter",
        "demo_account",
        "exchange",
        "persistence",
        "program",
        "server",
        "stream_server",
    )
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files() -> list[Path]:
    folders = [path for app in ("config", *APPS) for path in (ROOT / app).rglob("*.py")]
    return [ROOT / "manage.py", *sorted(path for path in folders if "migrations" not in path.parts)]


TREES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in source_files()}


@cache
def imports(name: str) -> set[str]:
    """Every module that `name` imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not is_for_types_only(name, node):
            assert node.level == 0, f"{name} imports relatively"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def is_for_types_only(name: str, node: ast.ImportFrom) -> bool:
    blocks = [one for one in ast.walk(TREES[name]) if isinstance(one, ast.If)]
    return any(ast.unparse(block.test) == "TYPE_CHECKING" and node in block.body for block in blocks)


def reaches(imported: str, forbidden: str) -> bool:
    return imported == forbidden or imported.startswith(f"{forbidden}.")


def upward(name: str) -> list[str]:
    app = name.split(".")[0]
    above = APPS[APPS.index(app) + 1 :] if app in APPS else ()
    return [f"{name} → {one}" for one in imports(name) if one.split(".")[0] in above]


def worldly(name: str, seen: set[str]) -> list[str]:
    """The chains by which `name` reaches the world."""
    seen.add(name)
    found = [f"{name} → {one}" for one in imports(name) for world in WORLD if reaches(one, world)]
    inner = [one for one in imports(name) if one in TREES and one not in seen]
    return found + [f"{name} → {chain}" for one in inner for chain in worldly(one, seen)]


def clocks_read(name: str) -> list[str]:
    calls = [ast.unparse(node.func) for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)]
    return [f"{name}: {call}" for call in calls if call in CLOCKS]


def pure_modules() -> list[str]:
    return sorted({name for pattern in PURE for name in TREES if fnmatch(name, pattern)} - RIM)


def test_imports_go_down_only():
    assert [one for name in TREES for one in upward(name)] == []


def test_config_holds_the_key_and_nobody_asks_for_it():
    others = [name for name in TREES if name.split(".")[0] != "config" and name != "manage"]
    assert [name for name in others for one in imports(name) if reaches(one, "config")] == []


def test_no_two_packages_of_portfolio_import_each_other():
    package = {name: ".".join(name.split(".")[:2]) for name in TREES if name.count(".")}
    arrows = {(package[name], package[one]) for name in package for one in imports(name) if one in package}
    inside = [
        (a, b) for a, b in arrows if a < b and a.startswith("portfolio.") and b.startswith("portfolio.")
    ]
    assert [pair for pair in inside if pair[::-1] in arrows] == []


def test_only_template_tags_import_template_tags():
    others = [name for name in TREES if not name.startswith("portfolio.templatetags")]
    found = [name for name in others for one in imports(name) if reaches(one, "portfolio.templatetags")]
    assert found == []


def test_a_pure_module_needs_no_world():
    assert [one for name in pure_modules() for one in worldly(name, seen=set())] == []


def test_a_pure_module_reads_no_clock():
    assert [one for name in pure_modules() for one in clocks_read(name)] == []


@pytest.mark.parametrize("pattern", [*PURE, *sorted(RIM)])
def test_what_the_lists_name_is_there(pattern):
    assert any(fnmatch(name, pattern) for name in TREES)


def test_only_the_settings_read_the_environment():
    asking = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }
    assert asking - NAME_THE_SETTINGS == {"config.settings"}


def test_the_rules_can_fail(monkeypatch):
    monkeypatch.setitem(TREES, "exchange.made_up", ast.parse("import time\nfrom portfolio import services"))
    assert upward("exchange.made_up")
    assert "exchange.made_up → time" in worldly("exchange.made_up", seen=set())


MAX_MODULES, MAX_LINES, MAX_CHAIN = 14, 450, 20
PRIVATE_WORDS = (
    "told",
    "heard",
    "naked",
    "bare",
    "dear",
    "beside",
    "mend",
    "mended",
    "reckon",
    "whoever",
    "strays",
    "wish",
    "wishes",
    "plight",
    "heed",
)
COLUMNS = {"told", "told_ns"}  # names that the database holds


def test_large_packages_wait_until_they_are_needed():
    """The pages, the commands and the queue start without them; each costs a tenth of a second and 20 MB or more."""
    loaded = loaded_by("import django; django.setup(); import config.urls, portfolio.tasks")
    assert {"django", "rest_framework", "django_q"} <= loaded
    assert {"numpy", "talib", "apprise"} & loaded == set()


def test_a_command_that_does_nothing_needs_no_admin_no_client_and_no_pages():
    loaded = loaded_by("import django; django.setup()")
    assert {"exchange.models", "portfolio.worker.task_queue"} <= loaded
    unused = {"oco.admin", "portfolio.admin", "requests", "websockets", "msgspec", "psycopg2", "config.urls"}
    assert unused & loaded == set()


def test_the_worker_needs_no_admin_and_no_api():
    loaded = loaded_by(
        "import django; django.setup(); import portfolio.tasks, portfolio.management.commands.run_worker"
    )
    unused = {"oco.admin", "portfolio.admin", "psycopg2", "config.urls", "rest_framework.views", "waitress"}
    assert unused & loaded == set()


def test_the_simulator_needs_no_django():
    loaded = loaded_by("import exchange.simulator.__main__")
    assert {"django", "requests", "exchange.client"} & loaded == set()


def loaded_by(code: str) -> set[str]:
    surroundings = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    program = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]
    done = subprocess.run(program, env=surroundings, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_no_folder_holds_too_many_modules():
    counts = Counter(
        path.parent for path in source_files() if path.name != "__init__.py" and "simulator" not in path.parts
    )
    assert {str(folder.relative_to(ROOT)): n for folder, n in counts.items() if n > MAX_MODULES} == {}


def test_no_file_is_too_long():
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in source_files()}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_no_chain_of_imports_is_too_long():
    modules = read_tree(ROOT)
    chain = longest_chain({name: module.unwrapped_imports for name, module in modules.items()})
    assert len(chain) <= MAX_CHAIN, " → ".join(chain)


def test_no_modules_import_each_other():
    """At run time; a circle that only the type checker sees is allowed."""
    assert cycles({name: module.imports for name, module in read_tree(ROOT).items()}) == []


def test_no_private_word_comes_back():
    """As a part of an identifier: each of these has a standard word (docs/dev/architecture.md)."""
    found = {
        f"{name}: {word}"
        for name, tree in TREES.items()
        for word in identifiers(tree) - COLUMNS
        if set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", word).lower())) & set(PRIVATE_WORDS)
    }
    assert sorted(found) == []


def identifiers(tree: ast.Module) -> set[str]:
    """Names that a module defines: classes, functions, parameters, variables, attributes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return found


PRIVATE_TEMPLATE_NAMES = {"ledger", "market", "words", "inst"}


def test_no_template_folder_and_no_filter_has_a_private_name():
    files = list((ROOT / "templates").rglob("*.html"))
    folders, texts = (
        {path.parent.name for path in files},
        [path.read_text(encoding="utf-8") for path in files],
    )
    filters = {name for text in texts for name in re.findall(r"\|(\w+)", text)}
    assert "orders" in folders
    assert "amount" in filters
    assert (folders | filters) & PRIVATE_TEMPLATE_NAMES == set()
