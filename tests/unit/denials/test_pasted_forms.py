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


PREFIXES = {
    "pytest": "E   {}",
    "bullets": "* {}",
    "comment": "# {}",
    "other comment": "// {}",
    "diff": "+ {}",
    "level": "[ERROR] {}",
    "GitHub": "2026-11-02T09:14:07.1234567Z ##[error]{}",
    "GitLab": "2026-11-02T09:14:07.123456Z 01O {}",
    "zone": "2026-11-02 09:14:07 +0000 {}",
    "clock": "09:14:07 {}",
    "clock and level": "[09:14:07] ERROR {}",
    "Lambda": "2026-11-02T09:14:07.123000+00:00 2026/11/02/[$LATEST]abcdef0123456789 {}",
    "coloured": "\x1b[31m! \x1b[0m{}",
}


@pytest.mark.parametrize("name", PREFIXES)
@pytest.mark.parametrize("message", [PLAIN, EXPLICIT], ids=["implicit", "explicit"])
def test_a_program_puts_the_same_before_each_line(name: str, message: str) -> None:
    words = message.split(" ")
    lines = [" ".join(words[:2]), " ".join(words[2:8]), " ".join(words[8:10]), " ".join(words[10:])]
    text = "\n".join(PREFIXES[name].format(line) for line in lines)
    assert read_message(f"It failed:\n{text}\nthe end").as_dict() == read_message(message).as_dict()


def test_the_numbers_of_lines_are_no_part_of_them() -> None:
    for form in ("{:4d}  {}", "{}: {}"):
        text = "\n".join(form.format(number, line) for number, line in enumerate(LINES, 8))
        assert read_message(text).as_dict() == read_message(PLAIN).as_dict()


def test_two_messages_that_begin_alike_are_two() -> None:
    other = PLAIN.replace("kms:Decrypt", "kms:Encrypt")
    for start in ("", "An error occurred (AccessDenied) when calling the Decrypt operation: "):
        read = read_message(f"{start}{PLAIN}\n{start}{other}")
        assert (read.as_dict(), read.more) == (read_message(PLAIN).as_dict(), 1)


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
    "lines of principals": f"{PLAIN}\n* User: arn:\n* x\n" * 5_000,
    "names": "KMSClient." * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_huge_paste_takes_time_in_proportion(name: str) -> None:
    begun = time.process_time()
    read_message(HOSTILE[name])
    assert time.process_time() - begun < 10
