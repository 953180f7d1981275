"""Signatures equal those of implementations that are not ours (dossier 2.4)."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from exchange.client.auth import param_string, sign

FILE = Path(__file__).parents[2] / "fixtures" / "signing-vectors.json"
ALL = json.loads(FILE.read_text())["vectors"]
AGREED = [vector for vector in ALL if vector["kind"] == "vector"]
DISPUTED = {vector["name"].split()[0]: vector for vector in ALL if vector["kind"] == "divergence"}


def signature_of(vector):
    names = ("method", "id", "api_key", "secret", "params", "nonce")
    return sign(*(vector[name] for name in names))


@pytest.mark.parametrize("vector", AGREED, ids=lambda vector: vector["name"])
def test_it_signs_as_every_working_implementation_does(vector):
    assert param_string(vector["params"]) == vector["param_string"]
    assert signature_of(vector) == vector["sig"]


@pytest.mark.parametrize("name", ["D1", "D4"])
def test_where_they_differ_nested_values_are_written_without_brackets(name):
    assert param_string(DISPUTED[name]["params"]) == DISPUTED[name]["param_string"]
    assert signature_of(DISPUTED[name]) == DISPUTED[name]["sig"]


@pytest.mark.parametrize("name", ["D2", "D3", "D5"])
def test_values_whose_text_is_disputed_are_not_signed_at_all(name):
    with pytest.raises(ValueError, match="must be text or an integer to be signed"):
        signature_of(DISPUTED[name])


def test_every_vector_is_covered():
    assert len(AGREED) + len(DISPUTED) == len(ALL)
    assert set(DISPUTED) == {"D1", "D2", "D3", "D4", "D5"}


def test_a_decimal_must_be_made_text_before_it_is_signed():
    with pytest.raises(ValueError, match="parameter price must be text"):
        param_string({"price": Decimal("1.10")})
