"""What is read out of the error messages that people paste, and out of everything around them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.denials.event_message import decoded_message, read_paste
from kms_tui.denials.message import ErrorMessage, read_message
from kms_tui.denials.message_kinds import KINDS, MessageKind
from kms_tui.denials.message_words import cause_of, next_step_of
from kms_tui.policy.layers import Layer

DATA = Path(__file__).parents[2] / "data" / "denials" / "messages.jsonl"
SAMPLES = [json.loads(line) for line in DATA.read_text().splitlines()]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:sts::111122223333:assumed-role/app/i-0abc1234def567890"
ALIAS = "arn:aws:kms:eu-west-1:111122223333:alias/app-key"
POLICY = "arn:aws:iam::111122223333:policy/team/DenyKms"
SCP = "arn:aws:organizations::999988887777:policy/o-a1b2c3d4e5/service_control_policy/p-2kgnabcd"
START = f"User: {ROLE} is not authorized to perform: kms:Decrypt"
PLAIN = f"{START} on resource: {KEY} because no identity-based policy allows the kms:Decrypt action"
EXPLICIT = f"{START} on resource: {KEY} with an explicit deny in an identity-based policy: {POLICY}"
RECORD = {
    "eventSource": "kms.amazonaws.com",
    "eventName": "Decrypt",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "10.0.0.7",
    "vpcEndpointId": "vpce-0abc",
    "errorCode": "AccessDenied",
    "errorMessage": PLAIN,
    "userIdentity": {"type": "AssumedRole", "arn": ROLE, "accountId": "111122223333"},
    "requestParameters": {"encryptionContext": {"table": "orders"}},
    "resources": [{"ARN": KEY, "accountId": "111122223333", "type": "AWS::KMS::Key"}],
}


def expected(sample: dict[str, str]) -> dict[str, object]:
    names = ("principal", "action", "resource", "layer", "explicit", "policy_arn")
    return {name: sample[name] for name in names}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["id"]))
def test_each_sample_is_read(sample: dict[str, str]) -> None:
    assert read_paste(sample["message"]).as_dict() == expected(sample)


@pytest.mark.parametrize(("prefix", "suffix"), [("", ""), ("> ", ""), ("│ ", " │"), ("    ", "")])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["id"]))
def test_a_terminal_breaks_lines_anywhere(sample: dict[str, str], prefix: str, suffix: str) -> None:
    message = " ".join(sample["message"].split())
    for width in range(20, 200, 7):
        lines = [message[start : start + width] for start in range(0, len(message), width)]
        text = "\n".join(f"{prefix}{line}{suffix}" for line in lines)
        assert read_paste(text).as_dict() == expected(sample), width


WRAPPED = {
    "go": "operation error KMS: Decrypt, https response error StatusCode: 400, RequestID: "
    "5e2d1c70-0f4f-4a44-9d7c-"
    "0d8f3a2b1c9e, api error AccessDeniedException: {}",
    "cloudformation": 'Resource handler returned message: "{} (Service: Kms, Status Code: 400, Request '
    "ID: 5e2d1c70)"
    ' (SDK Attempt Count: 1)" (RequestToken: x, HandlerErrorCode: AccessDenied)',
    "javascript": "AccessDeniedException: {}\n    at throwDefaultError (/app/x.js:1:2)\n  '$fault': "
    "'client',",
    "java": "com.amazonaws.services.kms.model.AWSKMSException: {} (Service: AWSKMS; Status Code: "
    "400)\n\tat x.Y(Z:1)",
    "dotnet": "Amazon.KeyManagementService.AmazonKeyManagementServiceException: {}.\n ---> "
    "Amazon.Runtime.X: y",
    "rust": 'ServiceError {{ source: ErrorMetadata {{ message: Some("{}"), extras: None',
    "php": 'Error executing "Decrypt" on "https://kms.eu-west-1.amazonaws.com"; AWS HTTP error: Client '
    "error: `POST "
    'https://kms` resulted in `400`: {{"__type":"AccessDeniedException","Message":"User: '
    "arn:aws:sts::11 (truncated"
    "...)\n AccessDeniedException (client): {}",
    "lambda": "Lambda was unable to decrypt the environment variables because KMS access was denied. "
    "KMS Exception: "
    "AccessDeniedExceptionKMS Message: {}",
    "xml": "<Error><Code>AccessDenied</Code><Message>{}</Message><RequestId>ABC</RequestId></Error>",
    "escaped xml": "&lt;Message&gt;{}&lt;/Message&gt;&lt;RequestId&gt;X",
    "json": '{{"a":"{{\\"Message\\":\\"{}\\"}}"}}',
    "json of json": '"{{\\\\\\"Message\\\\\\":\\\\\\"{}\\\\\\"}}"',
    "unicode escapes": "{{\\u0022Message\\u0022:\\u0022{}\\u0022}}",
    "markdown": "> **Error**: `{}`",
    "smart quotes": "She wrote: “{}” and left",
    "colours": "\x1b[31mError:\x1b[0m {}\x1b[0m",
    "escaped colours": "\\u001b[31m{}\\u001b[0m",
    "log line": '2026-11-02T09:14:07Z ERROR worker-3 err="{}" attempt=3',
    "yaml": "message: >-\n  {}\nnext: x",
    "csv": '1,"{}",2',
    "end of a clause": "{}, and then it stopped",
    "html": "<p>Denied: <code>{}</code><br/>Try again",
    "terraform": "╷\n│ Error: reading KMS Key: operation error KMS: DescribeKey, api error X: {}\n│ "
    "\n│   with data.x,\n╵",
}


@pytest.mark.parametrize("wrapper", WRAPPED)
@pytest.mark.parametrize("message", [PLAIN, EXPLICIT], ids=["implicit", "explicit"])
def test_each_wrapper_comes_off(wrapper: str, message: str) -> None:
    read = read_paste(WRAPPED[wrapper].format(message))
    assert read.as_dict() == read_message(message).as_dict()
    assert (read.principal, read.action, read.resource) == (ROLE, "kms:Decrypt", KEY)


REASONS = {
    "because no identity-based policy allows the kms:Decrypt action": ("identity", False, None),
    "because no resource-based policy allows the kms:Decrypt action": ("key-policy", False, None),
    "because no session policy allows the kms:Decrypt action": ("session", False, None),
    "because no permissions boundary allows the kms:Decrypt action": ("boundary", False, None),
    "because no VPC endpoint policy allows the kms:Decrypt action": ("endpoint", False, None),
    "because no service control policy allows the kms:Decrypt action": ("scp", False, None),
    "because no resource control policy allows the kms:Decrypt action": ("rcp", False, None),
    "with an explicit deny in a resource-based policy": ("key-policy", True, None),
    "with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/B.": (
        "boundary",
        True,
        "arn:aws:iam::111122223333:policy/B",
    ),
    f"with an explicit deny in an identity-based policy ({POLICY})": ("identity", True, POLICY),
    f"with an explicit deny in a service control policy:\n  {SCP}\n  status code: 400": ("scp", True, SCP),
    "with an explicit deny in an identity-based policy: arn:aws:iam::aws:policy/X\n\tat a.b(c:1)": (
        "identity",
        True,
        "arn:aws:iam::aws:policy/X",
    ),
    "with an explicit deny": (None, True, None),
    "because no iden": (None, None, None),
    "": (None, None, None),
}


@pytest.mark.parametrize("reason", REASONS)
def test_the_reason_is_read(reason: str) -> None:
    said = read_message(f"{START} on resource: {KEY} {reason}").as_dict()
    assert (said["layer"], said["explicit"], said["policy_arn"]) == REASONS[reason]
    assert said["resource"] == KEY


RESOURCES = {
    f"on resource: {ALIAS} because no resource-based policy allows the kms:Decrypt action": ALIAS,
    f"on resource: {ALIAS} (Service: Kms)": ALIAS,
    f"on resource: {KEY} attempt=3": KEY,
    "on resource: * because no identity-based policy allows the kms:Decrypt action": "*",
    "on resource: this resource because no permissions boundary allows the kms:Decrypt action": None,
    "on this resource because no permissions boundary allows the kms:Decrypt action": None,
    "on the resource associated with this ciphertext because no session policy allows the action": None,
    "because no identity-based policy allows the kms:Decrypt action": None,
    "": None,
    "attempt=3": None,
    "on resource: arn:aws:kms:eu-west-2:***:key/*** because no identity-based policy allows it": (
        "arn:aws:kms:eu-west-2:***:key/***"
    ),
}


@pytest.mark.parametrize("rest", RESOURCES)
def test_the_resource_is_read(rest: str) -> None:
    read = read_message(f"{START} {rest}")
    assert (read.principal, read.action, read.resource) == (ROLE, "kms:Decrypt", RESOURCES[rest])


PRINCIPALS = (
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/deploy/ci-bot",
    "arn:aws:sts::111122223333:federated-user/Bob",
    "arn:aws-us-gov:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jane@example.com",
    "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/Jane Doe",
    "arn:aws:sts::***:assumed-role/***/***",
    "111122223333",
    "anonymous",
)


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_the_principal_is_read(principal: str) -> None:
    assert read_message(PLAIN.replace(ROLE, principal)).principal == principal


@pytest.mark.parametrize(
    "prefix", ["api_1   | ", "2026-11-02T09:14:07.123456789Z stderr F ", "2026-11-02T09:14:07Z stdout P "]
)
def test_a_log_may_begin_each_line(prefix: str) -> None:
    lines = [EXPLICIT[start : start + 50] for start in range(0, len(EXPLICIT), 50)]
    read = read_message("\n".join(prefix + line for line in lines))
    assert read.as_dict() == read_message(EXPLICIT).as_dict()


def test_other_dashes_are_dashes() -> None:
    text = EXPLICIT.replace("-", "\u2011").replace("identity\u2011based", "identity based")
    assert read_message(text).as_dict() == read_message(EXPLICIT).as_dict()


def test_spaces_in_the_place_of_line_breaks_do_no_harm() -> None:
    text = (
        PLAIN.replace("3333:assumed", "3333 :assumed").replace("34cd", "34c d").replace("Decrypt", "Dec rypt")
    )
    assert read_message(text.replace("auth", "auth ")).as_dict() == read_message(PLAIN).as_dict()


CUT = {
    f"{START} on resource: {KEY[:60]}": "The key's ARN is cut off",
    f"{START} on resource: {KEY[:60]}... because no session policy allows it": "The key's ARN is cut off",
    f"{START} on resource: arn:aws:km": "The key's ARN is cut off",
    f"{START} on resource:": "it is cut off",
    START[:-4]: "The action is cut off: kms:Dec",
    PLAIN[12:].replace("arn:aws", ""): "The beginning of the message is missing",
    f"{START} on resource: {KEY} because no iden": "The end of the message is cut off",
    EXPLICIT[: -len(":policy/team/DenyKms")]: "The ARN of the denying policy is cut off",
}


@pytest.mark.parametrize("text", CUT)
def test_what_is_cut_off_is_told_and_not_guessed(text: str) -> None:
    read = read_message(text)
    assert any(CUT[text] in note for note in read.notes), read.notes
    assert read.kind is MessageKind.DENIED


def test_a_caller_of_another_account_gets_three_causes() -> None:
    read = read_message(
        f"{START} on the resource associated with this ciphertext because the resource does not exist "
        f"in this "
        "Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
    )
    assert (read.layer, read.explicit, read.resource) == (None, None, None)
    assert "three possible causes" in read.notes[0]


def test_the_first_denial_of_kms_counts_and_the_others_are_counted() -> None:
    s3 = f'User: {ROLE} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k"'
    other = PLAIN.replace("kms:Decrypt", "kms:Encrypt")
    read = read_message(f"{s3}\n{PLAIN}\nCaused by: {PLAIN}\n{other}")
    assert (read.action, read.more) == ("kms:Decrypt", 1)
    alone = read_message(f"{s3} because no identity-based policy allows the s3:PutObject action")
    assert alone.kind is MessageKind.OTHER_SERVICE
    assert (alone.action, alone.resource, alone.layer) == ("s3:PutObject", "arn:aws:s3:::b/k", Layer.IDENTITY)
    assert "a denial of s3, not of KMS" in cause_of(alone)


OTHERS = {
    f"An error occurred (DisabledException) when calling the Decrypt operation: {KEY} is disabled.": (
        MessageKind.DISABLED,
        "kms:Decrypt",
        KEY,
    ),
    f"KMSInvalidStateException: {KEY} is pending deletion.": (MessageKind.PENDING_DELETION, None, KEY),
    f"KMSInvalidStateException: {KEY} is pending import.": (MessageKind.PENDING_IMPORT, None, KEY),
    "KMSInvalidStateException": (MessageKind.KEY_STATE, None, None),
    f"An error occurred (NotFoundException) when calling the DescribeKey operation: Key '{KEY}' does "
    f"not exist": (MessageKind.NOT_FOUND, "kms:DescribeKey", KEY),
    f"(NotFoundException) when calling the Encrypt operation: Alias {ALIAS} is not found.": (
        MessageKind.NOT_FOUND,
        "kms:Encrypt",
        ALIAS,
    ),
    "operation error KMS: ReEncrypt, api error AccessDeniedException: The ciphertext refers to a "
    "customer master "
    "key that does not exist, does not exist in this region, or you are not allowed to access.": (
        MessageKind.HIDDEN,
        "kms:ReEncryptFrom",
        None,
    ),
    "(AccessDeniedException) when calling the GetParameter operation: The ciphertext refers to a "
    "customer master key "
    "that does not exist": (MessageKind.HIDDEN, None, None),
    "The request would have succeeded, but the DryRun option is set.": (MessageKind.DRY_RUN, None, None),
    "(UnrecognizedClientException) The security token included in the request is invalid.": (
        MessageKind.CREDENTIALS,
        None,
        None,
    ),
    "ExpiredTokenException: The security token included in the request is expired": (
        MessageKind.EXPIRED,
        None,
        None,
    ),
    "(AccessDenied) when calling the GetObject operation: Access Denied": (
        MessageKind.WITHOUT_REASON,
        None,
        None,
    ),
    "ResourceNotFoundException: Secrets Manager can't find it": (MessageKind.NOTHING, None, None),
    "rotation is disabled": (MessageKind.NOTHING, None, None),
    "hello world": (MessageKind.NOTHING, None, None),
    "": (MessageKind.NOTHING, None, None),
}


@pytest.mark.parametrize("text", OTHERS)
def test_other_errors_are_told_apart(text: str) -> None:
    read = read_paste(text)
    assert (read.kind, read.action, read.resource) == OTHERS[text]
    assert cause_of(read)


def test_every_kind_has_words() -> None:
    for kind in MessageKind:
        assert cause_of(ErrorMessage(kind)).endswith(".")
    assert all(row.next_step.endswith(".") for row in KINDS.values())
    for layer in Layer:
        for explicit in (False, True):
            message = ErrorMessage(MessageKind.DENIED, ROLE, "kms:Decrypt", KEY, layer, explicit)
            assert layer.term in cause_of(message)
            assert next_step_of(message)


def test_an_encoded_message_is_kept_whole() -> None:
    code = "aB3-_" * 60
    read = read_paste(
        "You are not authorized to perform this operation. Encoded authorization failure message:\n"
        f"{code[:70]}\n{code[70:]}"
    )
    assert (read.kind, read.encoded) == (MessageKind.ENCODED, code)


DECODED = {
    "allowed": False,
    "explicitDeny": True,
    "matchedStatements": {"items": []},
    "context": {
        "principal": {"id": "AROA:x", "arn": ROLE},
        "action": "kms:Decrypt",
        "resource": KEY,
        "conditions": {"items": [{"key": "aws:SourceVpce", "values": {"items": [{"value": "vpce-1"}]}}]},
    },
}


def test_a_decoded_message_is_read() -> None:
    read = read_paste(json.dumps(DECODED))
    assert (read.principal, read.action, read.resource, read.explicit) == (ROLE, "kms:Decrypt", KEY, True)
    assert read.context == {"aws:SourceVpce": "vpce-1"}
    assert decoded_message({"explicitDeny": 1, "context": []}) == ErrorMessage(MessageKind.DENIED)


@pytest.mark.parametrize(
    "paste",
    [
        RECORD,
        {"Records": [{**RECORD, "errorCode": None}, RECORD]},
        {"Events": [{"CloudTrailEvent": json.dumps(RECORD)}]},
        {"source": "aws.kms", "detail": RECORD},
        [RECORD],
    ],
    ids=["event", "trail file", "LookupEvents", "EventBridge", "list"],
)
def test_an_event_says_more_than_its_message(paste: object) -> None:
    read = read_paste(json.dumps(paste, indent=2))
    assert read.as_dict() == read_message(PLAIN).as_dict()
    assert read.context == {
        "kms:EncryptionContext:table": "orders",
        "kms:EncryptionContextKeys": ("table",),
        "aws:SourceVpce": "vpce-0abc",
        "aws:VpcSourceIp": "10.0.0.7",
    }


def test_an_event_fills_in_what_its_message_does_not_say() -> None:
    hidden = "The ciphertext refers to a customer master key that does not exist"
    read = read_paste(json.dumps({**RECORD, "errorMessage": hidden, "eventName": "ReEncrypt"}))
    assert (read.kind, read.principal, read.action, read.resource) == (
        MessageKind.HIDDEN,
        ROLE,
        "kms:ReEncryptFrom",
        KEY,
    )
    bare = read_paste(json.dumps({**RECORD, "errorMessage": None}))
    assert (bare.kind, bare.principal, bare.action) == (MessageKind.DENIED, ROLE, "kms:Decrypt")
    via = {**RECORD, "vpcEndpointId": None, "userIdentity": {"arn": ROLE, "invokedBy": "s3.amazonaws.com"}}
    assert read_paste(json.dumps(via)).context["kms:ViaService"] == "s3.eu-west-1.amazonaws.com"


def test_an_answered_event_is_no_denial() -> None:
    read = read_paste(json.dumps({**RECORD, "errorCode": None, "errorMessage": None}))
    assert read.kind is MessageKind.NOTHING
    assert "was answered" in read.notes[0]


@pytest.mark.parametrize("member", RECORD)
@pytest.mark.parametrize("value", [None, 7, [], {}, [7], {"a": [None]}, "\ud800\0", "x" * 100_000])
def test_an_event_with_anything_in_it_is_read(member: str, value: object) -> None:
    read_paste(json.dumps({**RECORD, member: value}))


HOSTILE = {
    "brackets": "[" * 1_000_000,
    "objects": '{"a":' * 100_000,
    "backslashes": "\\" * 4_000_000,
    "spaces": " " * 4_000_000,
    "bars": "|" * 4_000_000,
    "arns": "arn:" * 1_000_000,
    "denials": f"{PLAIN}\n" * 10_000,
    "labels": "User: " * 150_000,
    "tags": "<a" * 400_000,
    "escapes": "\x1b[" * 400_000,
    "entities": "&#" * 400_000,
    "a long name": f"User: {'a' * 800_000} is not authorized to perform: kms:Decrypt",
    "broken words": "no\nt\nauth\n" * 80_000,
    "digits": f'{{"eventName":{"9" * 100_000}}}',
    "a long number": f"&#{'9' * 100_000};",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_huge_paste_takes_time_in_proportion(name: str) -> None:
    begun = time.process_time()
    read_paste(HOSTILE[name])
    assert time.process_time() - begun < 10  # a square of these lengths takes hours


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_no_text_raises(text: str) -> None:
    for paste in (text, PLAIN + text, text + PLAIN, PLAIN.replace("kms", text), PLAIN.replace(" on ", text)):
        read = read_paste(paste)
        assert cause_of(read)


@given(st.integers(0, len(EXPLICIT)), st.integers(0, len(EXPLICIT)))
@settings(max_examples=60)
def test_no_cut_raises_or_invents(start: int, end: int) -> None:
    read = read_message(EXPLICIT[start:end])
    assert read.resource in (None, KEY)
    assert read.action in (None, "kms:Decrypt")
    assert read.layer in (None, Layer.IDENTITY)
