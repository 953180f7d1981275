"""What the container is told, against what the program has; there is no engine here, so by its text."""

import copy
import fnmatch
import json
import re
import shlex
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from jsonschema import Draft202012Validator

from portfolio.worker.processes import web_command

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
BACKEND, DATABASE = COMPOSE["services"]["backend"], COMPOSE["services"]["db"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
ENVIRONMENT = dict(re.findall(r"^(?:ENV)?\s+([A-Z_]+)=(\S+)", DOCKERFILE, re.MULTILINE))


# The schema of the Compose specification, as the package `check-jsonschema` brings it.
SCHEMA = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
SPECIFICATION = Draft202012Validator(json.loads(SCHEMA.read_text()))


def setting_names():
    return set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "config" / "settings.py").read_text()))


def test_it_is_as_the_compose_specification_says():
    assert [error.message for error in SPECIFICATION.iter_errors(COMPOSE)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("restarts", "always"),
        ("read_only", [1]),
        ("cap_drop", "ALL"),
        ("healthcheck", {"test": ["CMD"], "every": "5s"}),
        ("volumes", [{"type": "bind", "source": "./.env", "to": "/app/.env"}]),
    ],
)
def test_the_specification_would_not_take_anything(name, value):
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"]["backend"][name] = value
    assert list(SPECIFICATION.iter_errors(wrong))


def test_the_specification_is_not_an_old_one():
    """That of 2021 knew neither models nor hooks nor what Compose runs beside containers."""
    known = json.loads(SCHEMA.read_text())["$defs"]
    assert {"model", "service_hook", "include"} <= known.keys()


def test_it_is_reached_from_this_machine_alone():
    assert BACKEND["ports"] == ["127.0.0.1:8002:8002"]
    assert "ports" not in DATABASE
    assert DATABASE["network_mode"] == "none"
    assert "listen_addresses=" in DATABASE["command"]


def test_the_usual_commands_find_their_service_and_container():
    assert BACKEND["profiles"] == DATABASE["profiles"] == ["local"]
    assert BACKEND["container_name"] == "backend"


def test_both_start_again_by_themselves_and_say_how_they_are():
    for service in (BACKEND, DATABASE):
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
    assert BACKEND["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_the_settings_file_is_read_at_each_start_and_never_written():
    (mount,) = [one for one in BACKEND["volumes"] if isinstance(one, dict)]
    assert (mount["source"], mount["target"]) == ("./.env", "/app/.env")
    assert mount["read_only"] is True
    assert mount["bind"]["create_host_path"] is False


def test_it_has_no_more_rights_than_it_needs():
    assert BACKEND["user"].startswith("${DESK_UID:-1000}")
    assert BACKEND["cap_drop"] == ["ALL"]
    assert BACKEND["read_only"] is True
    assert "USER 1000:1000" in DOCKERFILE


def test_there_is_time_to_end_a_cycle():
    assert int(BACKEND["stop_grace_period"].removesuffix("s")) > 25


def test_every_volume_that_is_used_is_there():
    used = [one.split(":")[0] for one in BACKEND["volumes"] + DATABASE["volumes"] if isinstance(one, str)]
    assert set(used) == set(COMPOSE["volumes"])


def test_this_machine_is_the_gateway_of_its_network():
    (network,) = COMPOSE["networks"]["desk"]["ipam"]["config"]
    assert BACKEND["environment"]["LOCAL_PEERS"] == network["gateway"]


def test_what_is_set_are_settings_of_the_program():
    known = setting_names() | {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "HOME"}
    known |= {name for name in ENVIRONMENT if name.startswith("PIP_")}
    assert set(ENVIRONMENT) | set(BACKEND["environment"]) <= known
    assert ENVIRONMENT["HOST"] == "0.0.0.0"


@pytest.mark.parametrize("line", [*PROCFILE.values(), "python3 manage.py run_desk"])
def test_every_command_is_one_that_there_is(line):
    words = shlex.split(line)
    assert words[0] == "python3"
    assert words[1] == "manage.py"
    assert words[2] in get_commands()


def test_the_web_process_is_the_one_that_make_run_starts():
    assert web_command()[3] == PROCFILE["web"].split()[-1]


def test_no_key_and_no_database_gets_into_the_image():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for name in (".env", ".env.example", "var", ".git", ".venv", "tests", "docs"):
        assert not any(fnmatch.fnmatch(name, pattern) for pattern in let_in)
    for name in ("config", "exchange", "oco", "portfolio", "templates", "manage.py", "requirements.txt"):
        assert name in let_in
