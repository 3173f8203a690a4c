"""Subjects are read as RFC 4514 and as openssl writes them; an error names the part."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.subjects import common_name, parse_subject, subject_text


def parts(name: x509.Name) -> list[tuple[str, str]]:
    return [(each.oid._name, str(each.value)) for each in name]


@pytest.mark.parametrize(
    "text",
    [
        "CN=www.example.com,O=Example,C=DE",
        " CN = www.example.com , O = Example , C = de ",
        "commonName=www.example.com,organizationName=Example,countryName=DE",
        "cn=www.example.com,o=Example,c=DE",
        "/C=DE/O=Example/CN=www.example.com",
        'CN="www.example.com",O="Example",C=DE',
        "2.5.4.3=www.example.com,OID.2.5.4.10=Example,C=DE",
    ],
)
def test_both_ways_of_writing_mean_the_same_name(text: str) -> None:
    name = parse_subject(text)
    expected = [("countryName", "DE"), ("organizationName", "Example"), ("commonName", "www.example.com")]
    assert parts(name) == expected
    assert common_name(name) == "www.example.com"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"O=Acme\, Inc.", "Acme, Inc."),
        ('O="Acme, Inc."', "Acme, Inc."),
        (r"/O=A\/B", "A/B"),
        ("O=A+B", "A+B"),
        (r"O=caf\C3\A9", "café"),
        ("O=日本", "日本"),
        ("O=a=b", "a=b"),
        (r"O=\#1", "#1"),
        ("O=x\\ ", "x "),
        (r"O=back\\", "back\\"),
    ],
)
def test_special_characters_are_escaped_or_quoted(text: str, value: str) -> None:
    assert parts(parse_subject(text)) == [("organizationName", value)]


def test_a_part_may_have_several_attributes() -> None:
    name = parse_subject("CN=x+UID=7,O=y")
    assert [len(list(each)) for each in name.rdns] == [1, 2]
    assert parse_subject("/O=y/CN=x+UID=7") == name


@pytest.mark.parametrize("text", ["", " ", "/"])
def test_the_empty_name(text: str) -> None:
    assert parts(parse_subject(text)) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x", "The part “x” is no TYPE=VALUE"),
        ("CN=x,Inc", "The part “Inc” is no TYPE=VALUE"),
        ("CN=x,,O=y", "one , too many"),
        ("/CN=x/", "one / too many"),
        ("CN=x,FOO=y", "“FOO” is no attribute type"),
        ("=y", "“” is no attribute type"),
        ("9.9=y", "“9.9” is no attribute type"),
        ("CN=", "The value of CN is empty"),
        ("CN=" + "x" * 65, "has 65 characters: 64 are the most"),
        ("C=Germany", "“Germany”, is not a country's code of two letters"),
        ("C=1x", "is not a country's code"),
        ("DC=ä", "ASCII characters only"),
        ("CN=a\0b", "control or invisible character"),
        (r"CN=a\00b", "control or invisible character"),
        ("CN=a\x1b[31m", "“a␛[31m”"),
        ("CN=a\u202eb", "control or invisible character"),
        ("CN=a\udc80", "control or invisible character"),
        ("CN=x\\", "ends in a backslash"),
        (r"CN=\ff", "no UTF-8"),
        ("CN=#0c0178", "a value in hex, which is not taken"),
        ('CN="x', "quotation mark without its end"),
        ("CN=x+CN=x", "the same attribute twice"),
        (",".join(["OU=x"] * 65), "65 parts"),
    ],
)
def test_what_is_wrong_is_named(text: str, sentence: str) -> None:
    with pytest.raises(FieldError) as raised:
        parse_subject(text)
    assert sentence in str(raised.value)
    assert raised.value.field is CertificateField.SUBJECT


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.LOCALITY_NAME]),
            st.text(
                st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_categories=["C", "Z"]),
                min_size=1,
                max_size=30,
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read_again(attributes: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    assert parse_subject(subject_text(name)) == name


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_any_text_is_a_name_or_a_field_error(text: str) -> None:
    try:
        name = parse_subject(text)
    except FieldError:
        return
    assert all(str(each.value).isprintable() for each in name)
