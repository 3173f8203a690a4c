"""JSON of CloudTrail and of STS, wherever it lies in a pasted text."""

from __future__ import annotations

import json
import time

import pytest

from kms_tui.denials.event_message import read_paste
from kms_tui.denials.message import read_message
from kms_tui.denials.message_kinds import MessageKind
from kms_tui.policy.layers import Layer
from tests.unit.denials.test_message import DECODED, KEY, PLAIN, RECORD, ROLE

HIDDEN_RECORD = {
    **RECORD,
    "errorMessage": "The ciphertext refers to a customer master key that does not exist",
}
ANSWERED = {**RECORD, "errorCode": None, "errorMessage": None}
EVENTS = {
    "a fenced block": f"Look:\n```json\n{json.dumps(HIDDEN_RECORD, indent=2)}\n```\n",
    "a log line": f"2026-11-02 INFO event={json.dumps(HIDDEN_RECORD)} attempt=3",
    "an object a line": f"{json.dumps(ANSWERED)}\n{json.dumps(HIDDEN_RECORD)}\n",
    "a string of JSON": json.dumps(json.dumps(HIDDEN_RECORD)),
    "CloudWatch Logs": json.dumps({"events": [{"timestamp": 1, "message": json.dumps(HIDDEN_RECORD)}]}),
    "CloudWatch Logs, escaped": json.dumps(
        json.dumps({"events": [{"timestamp": 1, "message": json.dumps(HIDDEN_RECORD)}]})
    ),
    "Logs Insights": json.dumps([{"@timestamp": "x", "@message": json.dumps(HIDDEN_RECORD)}]),
    "after other objects": '{"a": 1} {"b" } ' + json.dumps(HIDDEN_RECORD),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_found_wherever_it_lies(name: str) -> None:
    read = read_paste(EVENTS[name])
    assert (read.kind, read.principal, read.action, read.resource) == (
        MessageKind.HIDDEN,
        ROLE,
        "kms:Decrypt",
        KEY,
    )
    assert read.context["aws:SourceVpce"] == "vpce-0abc"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"DecodedMessage": json.dumps(DECODED)}, indent=4),
        json.dumps(json.dumps(DECODED)),
        f"It says: {json.dumps(DECODED)}",
    ],
    ids=["answer of STS", "a string of JSON", "within a text"],
)
def test_a_decoded_message_is_found_wherever_it_lies(text: str) -> None:
    assert read_paste(text) == read_paste(json.dumps(DECODED))


@pytest.mark.parametrize("member", ["log", "message", "msg"])
def test_a_log_of_objects_has_a_line_in_each(member: str) -> None:
    words = PLAIN.split(" ")
    said = [" ".join(words[:8]), " ".join(words[8:10]), " ".join(words[10:])]
    text = "\n".join(json.dumps({"time": "t", member: f"{line}\n", "stream": "stderr"}) for line in said)
    assert read_paste(text).as_dict() == read_message(PLAIN).as_dict()
    assert read_paste(f"{text}\n{{}}").kind is MessageKind.DENIED


def test_a_denial_beside_an_answered_event_counts() -> None:
    read = read_paste(f"{PLAIN}\n{json.dumps(ANSWERED)}")
    assert read.as_dict() == read_message(PLAIN).as_dict()


def test_an_event_names_its_key_in_the_request_only() -> None:
    for name, found in ((KEY, KEY), ("alias/app", None), (7, None)):
        record = {**HIDDEN_RECORD, "resources": None, "requestParameters": {"keyId": name}}
        assert read_paste(json.dumps(record)).resource == found


def test_a_network_activity_event_is_denied_by_the_endpoint() -> None:
    message = "The request was denied due to a VPC endpoint policy"
    read = read_paste(json.dumps({**RECORD, "errorCode": "VpceAccessDenied", "errorMessage": message}))
    assert (read.kind, read.layer, read.explicit) == (MessageKind.DENIED, Layer.ENDPOINT, None)


HOSTILE = {
    "open objects": '"eventSource"' + '{"a":' * 100_000,
    "many objects": '"eventSource"' + '{"a":1}' * 50_000,
    "strings in strings": json.dumps(json.dumps(json.dumps("eventSource" + "\\" * 100_000))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_huge_json_takes_time_in_proportion(name: str) -> None:
    begun = time.process_time()
    read_paste(HOSTILE[name])
    assert time.process_time() - begun < 10
