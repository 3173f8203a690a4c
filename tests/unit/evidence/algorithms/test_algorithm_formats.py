"""The inventory of algorithms as table, Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pytest

from kms_tui.evidence.algorithms.algorithm_formats import WRITERS, summary
from kms_tui.evidence.algorithms.algorithm_inventory import ClassicalCallers
from kms_tui.evidence.request_usage import Observation
from kms_tui.kms.arn import AccountRegion
from tests.unit.evidence.algorithms.samples import ACCOUNT, arn, inventory, key, signing

HOSTILE = '=HYPERLINK("//x")\x1b]0;title\x07\u202e|pipe`code`'
CALLERS = ClassicalCallers((Observation("role/old-app", "secp256r1", 12.5),), 3, ("90 days.",), whole=True)
SOME = inventory(
    signing(1, "RSA_2048", "releases"),
    key(2, "ML_DSA_65", "releases-pq", tags={}),
    key(3, "SYMMETRIC_DEFAULT", HOSTILE, state="Disabled"),
    key(4, "SYMMETRIC_DEFAULT", "aws/s3", aws_managed=True),
    signing(5, "SLH_DSA_128S", "future"),
    undescribed=(arn(9),),
    callers=CALLERS,
)


def test_what_is_broken_comes_first_and_the_strongest_last() -> None:
    assert [group.spec for group in SOME.groups] == [
        "RSA_2048",
        "SLH_DSA_128S",
        "ML_DSA_65",
        "SYMMETRIC_DEFAULT",
    ]
    assert (SOME.keys, SOME.broken) == (5, 1)
    assert summary(SOME) == (
        "5 keys; a quantum computer breaks 1; of 1 such signing keys 1 has an ML-DSA key beside it."
    )


def test_the_table_says_what_is_known_and_what_is_not() -> None:
    text = WRITERS["table"](SOME)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "RSA-2048 sign 112 none: broken 1 0 0 releases" in lines
    assert "SLH_DSA_128S sign not known not known 1 0 0 future" in lines
    assert "releases RSA-2048 enabled releases-pq alias" in lines
    assert "role/old-app secp256r1 12.5" in lines
    assert "Of 3 calls the record does not tell the key exchange: not known." in lines
    assert any(line.startswith("The algorithm of 1 key is not known") for line in lines)
    assert "REGION" not in text


def test_region_and_account_are_shown_where_there_are_several() -> None:
    places = (AccountRegion(ACCOUNT, "eu-west-1"), AccountRegion("444455556666", "eu-west-1"))
    text = WRITERS["table"](inventory(signing(1, "RSA_2048"), places=places))
    assert "ACCOUNT" in text
    assert "REGION" not in text


def test_callers_that_nobody_asked_about_are_not_none() -> None:
    assert "Callers were not asked about" in WRITERS["table"](inventory())
    nobody = ClassicalCallers((), 0, (), whole=True)
    assert "No caller is recorded" in WRITERS["table"](inventory(callers=nobody))
    assert json.loads(WRITERS["json"](inventory()))["callers"] is None


def test_json_and_csv_have_every_key() -> None:
    shape = json.loads(WRITERS["json"](SOME))
    assert sum(len(group["keys"]) for group in shape["groups"]) == 5
    first, unknown = shape["groups"][:2]
    assert (first["bits"], first["quantum_category"], first["family"]) == (112, 0, "rsa")
    assert (unknown["bits"], unknown["quantum_category"], unknown["family"]) == (None, None, None)
    assert shape["signing"][0]["sibling"] == arn(2)
    assert shape["callers"]["classical"][0]["subject"] == "role/old-app"
    rows = list(csv.DictReader(io.StringIO(WRITERS["csv"](SOME))))
    assert [row["quantum_category"] for row in rows] == ["0", "", "3", "5", "5", ""]
    assert rows[-1]["arn"] == arn(9)
    assert {row["manager"] for row in rows} == {"CUSTOMER", "AWS", ""}


@pytest.mark.parametrize("form", WRITERS)
def test_untrusted_text_is_shown_as_text(form: str) -> None:
    text = WRITERS[form](SOME)
    assert "HYPERLINK" in text
    assert {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs")} == {"\n"}
    if form == "csv":
        assert "\"'=HYPERLINK" in text
