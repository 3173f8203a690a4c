"""The bill of materials is valid CycloneDX 1.6, stable, and says of each key what KMS says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from kms_tui.evidence.algorithms.algorithm_inventory import AlgorithmInventory
from kms_tui.evidence.algorithms.cbom import cbom
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import MultiRegion
from tests.unit.evidence.algorithms.samples import NOW, arn, inventory, key, signing

HOSTILE = "x\x1b]0;title\x07\u202e\ud800|<script>"
SOME = inventory(
    signing(1, "RSA_2048", "releases", "old-releases", multi_region=MultiRegion(True, arn(1), ())),
    key(2, "ML_DSA_65", "releases-pq", tags={}),
    key(3, "SYMMETRIC_DEFAULT", HOSTILE, description=HOSTILE, state="PendingDeletion"),
    key(4, "SYMMETRIC_DEFAULT", origin="EXTERNAL_KEY_STORE", state="Unavailable"),
    key(5, "HMAC_256", origin="EXTERNAL", expires=NOW + timedelta(days=9), state="PendingImport"),
)
_EVERYTHING = inventory(
    *(
        key(number, spec.name, usage=usage)
        for number, (spec, usage) in enumerate(
            (spec, usage) for spec in KEY_SPECS.values() for usage in spec.usages
        )
    ),
    *(key(100 + number, "RSA_2048", state=state) for number, state in enumerate(("Creating", "Future", ""))),
    signing(200, "SLH_DSA_128S"),
    key(201, "SYMMETRIC_DEFAULT", usage="FUTURE_USE"),
    undescribed=(arn(999),),
)


def components(found: AlgorithmInventory) -> dict[str, Any]:
    return {each["bom-ref"]: each for each in json.loads(cbom(found))["components"]}


@pytest.mark.parametrize("found", [inventory(), SOME, _EVERYTHING], ids=["none", "some", "everything"])
def test_it_is_valid_by_the_strict_schema(found: AlgorithmInventory) -> None:
    text = cbom(found)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text.isascii()
    shape = json.loads(text)
    assert (shape["bomFormat"], shape["specVersion"]) == ("CycloneDX", "1.6")


def test_an_algorithm_says_its_strength_and_where_it_runs() -> None:
    found = components(SOME)
    rsa = found["kms-algorithm/RSA_2048/SIGN_VERIFY/kms"]
    assert rsa["cryptoProperties"]["algorithmProperties"] == {
        "primitive": "signature",
        "parameterSetIdentifier": "2048",
        "executionEnvironment": "hardware",
        "certificationLevel": ["fips140-3-l3"],
        "cryptoFunctions": ["sign", "verify"],
        "classicalSecurityLevel": 112,
        "nistQuantumSecurityLevel": 0,
    }
    ml_dsa = found["kms-algorithm/ML_DSA_65/SIGN_VERIFY/kms"]["cryptoProperties"]
    assert ml_dsa["algorithmProperties"]["nistQuantumSecurityLevel"] == 3
    assert ml_dsa["oid"] == "2.16.840.1.101.3.4.3.18"
    external = found["kms-algorithm/SYMMETRIC_DEFAULT/ENCRYPT_DECRYPT/external-key-store"]
    assert external["cryptoProperties"]["algorithmProperties"]["executionEnvironment"] == "unknown"
    assert external["cryptoProperties"]["algorithmProperties"]["certificationLevel"] == ["unknown"]


def test_what_the_hsms_of_china_are_certified_for_is_not_told_as_fips() -> None:
    chinese = key(1, "SM2", arn=arn(1, "cn-north-1", partition="aws-cn"))
    (algorithm,) = (each for ref, each in components(inventory(chinese)).items() if "china" in ref)
    assert algorithm["cryptoProperties"]["algorithmProperties"]["certificationLevel"] == ["unknown"]


def test_a_key_says_its_state_size_and_dates() -> None:
    found = components(SOME)
    mac = found[arn(5)]["cryptoProperties"]["relatedCryptoMaterialProperties"]
    assert mac == {
        "type": "secret-key",
        "id": arn(5).rpartition("/")[2],
        "state": "pre-activation",
        "algorithmRef": "kms-algorithm/HMAC_256/GENERATE_VERIFY_MAC/kms",
        "creationDate": "2025-01-02T00:00:00+00:00",
        "expirationDate": "2026-12-09T09:00:00+00:00",
        "size": 256,
        "securedBy": {"mechanism": "HSM"},
    }
    states = {
        ref: each["cryptoProperties"]["relatedCryptoMaterialProperties"]["state"]
        for ref, each in found.items()
        if ref.startswith("arn:")
    }
    assert states == {
        arn(1): "active",
        arn(2): "active",
        arn(3): "deactivated",
        arn(4): "suspended",
        arn(5): "pre-activation",
    }
    signs = found[arn(1)]
    assert signs["cryptoProperties"]["relatedCryptoMaterialProperties"]["type"] == "private-key"
    held = [(each["name"], each["value"]) for each in signs["properties"]]
    assert ("aws:kms:alias", "alias/old-releases") in held
    assert ("aws:kms:multi-region", "primary") in held


def test_each_key_depends_on_its_algorithm_and_the_account_on_all() -> None:
    shape = json.loads(cbom(SOME))
    depends = {each["ref"]: each.get("dependsOn", []) for each in shape["dependencies"]}
    assert depends[arn(2)] == ["kms-algorithm/ML_DSA_65/SIGN_VERIFY/kms"]
    assert set(depends[shape["metadata"]["component"]["bom-ref"]]) == set(components(SOME))


def test_the_serial_number_is_that_of_the_content() -> None:
    def serial(found: AlgorithmInventory) -> str:
        return str(json.loads(cbom(found))["serialNumber"])

    later = replace(SOME, time=datetime(2027, 1, 1, tzinfo=UTC))
    assert serial(later) == serial(SOME)
    assert json.loads(cbom(later))["components"] == json.loads(cbom(SOME))["components"]
    others = [
        inventory(signing(1, "RSA_2048", **members))
        for members in ({}, {"state": "Disabled"}, {"arn": arn(7)}, {"expires": NOW}, {"description": "x"})
    ]
    others.append(replace(others[0], undescribed=(arn(9),)))
    assert len({serial(found) for found in others}) == len(others)


def test_what_is_not_known_is_said() -> None:
    properties = json.loads(cbom(_EVERYTHING))["metadata"]["properties"]
    assert {each["name"] for each in properties} == {"kms-tui:not-known"}
    assert any(each["value"].startswith("The algorithm of 1 key is not known") for each in properties)
