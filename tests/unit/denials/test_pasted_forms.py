"""Error messages as logs, programs and stack traces wrap them: each form tells the same denial."""

from __future__ import annotations

import time

import pytest

from kms_tui.denials.message import read_message
from kms_tui.denials.message_kinds import MessageKind
from tests.unit.denials.test_message import EXPLICIT, KEY, PLAIN, POLICY

HIDDEN = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or "
    "you are not allowed to access."
)
WORDS = PLAIN.split(" ")
LINES = [" ".join(WORDS[:3]), " ".join(WORDS[3:8]), " ".join(WORDS[8:10]), " ".join(WORDS[10:])]


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-02T09:14:07.1234567Z ",
        "2026-11-02T09:14:07.1234567Z │ ",
        "[2026-11-02T09:14:07.123Z] ",
        "2026-11-02 09:14:07,123 ",
        "2026-11-02T09:14:07+01:00 ",
        "Nov  2 09:14:07 ip-10-0-0-1 app[123]: ",
        "app-1  | ",
    ],
)
def test_a_log_puts_the_time_before_each_line(prefix: str) -> None:
    read = read_message("\n".join(prefix + line for line in LINES))
    assert read.as_dict() == read_message(PLAIN).as_dict()


@pytest.mark.parametrize("after", ["INFO next", "retrying", '"retrying"'])
def test_a_name_does_not_go_on_in_the_next_record(after: str) -> None:
    read = read_message(f"{EXPLICIT}\n2026-11-02T09:14:08Z {after}")
    assert (read.policy_arn, read.resource) == (POLICY, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "\n        ".join(f"'{line} '" for line in LINES),
        " +\n  ".join(f'"{line} "' for line in LINES),
        "\n  + ".join(f'"{line} "' for line in LINES),
        " \\\n  ".join(LINES),
    ],
    ids=["Python", "Java", "JavaScript", "shell"],
)
def test_a_program_joins_strings(text: str) -> None:
    assert read_message(text).as_dict() == read_message(PLAIN).as_dict()


def test_two_strings_are_not_one() -> None:
    alias = PLAIN.partition(" because")[0].replace(KEY, "arn:aws:kms:eu-west-1:111122223333:alias/app")
    read = read_message(f'"{alias}"\n"{alias}"')
    assert (read.resource, read.more) == ("arn:aws:kms:eu-west-1:111122223333:alias/app", 0)


TRACES = {
    "com.amazonaws.services.kms.model.AWSKMSException: {}\n\tat com.amazonaws.AmazonHttpClient.a(A.java:1)"
    "\n\tat com.amazonaws.services.kms.AWSKMSClient.invoke(AWSKMSClient.java:1)"
    "\n\tat com.amazonaws.services.kms.AWSKMSClient.executeDecrypt(AWSKMSClient.java:2)": "kms:Decrypt",
    "software.amazon.awssdk.services.kms.model.KmsException: {}\n\tat "
    "software.amazon.awssdk.services.kms.DefaultKmsClient.reEncrypt(X.java:1)": "kms:ReEncryptFrom",
    "{}\n at software.amazon.awssdk.services.kms.DefaultKmsAsyncClient.lambda$decrypt$12(X.java:1)": (
        "kms:Decrypt"
    ),
    "AccessDeniedException: {}\n    at de_DecryptCommandError (/app/index.js:1:2)": "kms:Decrypt",
    "{}\n   at Amazon.KeyManagementService.AmazonKeyManagementServiceClient.DecryptAsync(X x)": "kms:Decrypt",
    "{} at aws_sdk_kms::operation::re_encrypt::builders": "kms:ReEncryptFrom",
    "{}\n\tat com.amazonaws.services.s3.AmazonS3Client.getObject(X.java:1)": None,
}


@pytest.mark.parametrize("trace", TRACES)
def test_a_stack_trace_names_the_operation(trace: str) -> None:
    read = read_message(trace.format(HIDDEN))
    assert (read.kind, read.action) == (MessageKind.HIDDEN, TRACES[trace])


def test_a_database_cannot_reach_its_key() -> None:
    read = read_message(
        f"KMSKeyNotAccessibleFault: The specified KMS key [{KEY}] does not exist, is not enabled or you do "
        "not have permissions to access it."
    )
    assert (read.kind, read.resource) == (MessageKind.HIDDEN, KEY)


HOSTILE = {
    "literals": "'\n'" * 200_000,
    "spaced literals": "' +\n '" * 100_000,
    "blanks": "'" + " " * 1_000_000,
    "backslashes": "\\\n" * 200_000,
    "times": "\n2026-11-02 09:14:07 " * 50_000,
    "names": "KMSClient." * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_huge_paste_takes_time_in_proportion(name: str) -> None:
    begun = time.process_time()
    read_message(HOSTILE[name])
    assert time.process_time() - begun < 10
