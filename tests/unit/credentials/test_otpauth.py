"""The key URI: written canonically, read as pages show it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_totphog import InvalidInput
from pytest_totphog.credentials.otpauth import format_uri, parse_uri

SECRET = "JBSWY3DPEHPK3PXP"

# A label has no place for leading spaces in its account name; `Token` refuses control characters and surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).filter(
    lambda text: text == text.lstrip(" ")
)


def written(**changes: Any) -> str:
    """Return the key URI of a usual token with some parameters changed."""
    usual: dict[str, Any] = {
        "name": "alice",
        "issuer": "Example",
        "secret": SECRET,
        "digits": 6,
        "period": 30,
        "algorithm": "sha1",
    }
    return format_uri(**usual | changes)


# Writing


def test_every_parameter_is_written_out() -> None:
    """Readers differ in their defaults, so none is left to them."""
    assert written() == (
        "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30"
    )


def test_without_an_issuer_there_is_no_prefix() -> None:
    """Nor a parameter for it."""
    assert written(issuer="") == "otpauth://totp/alice?secret=JBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30"


@pytest.mark.parametrize(
    ("name", "issuer", "label"),
    [
        ("alice@example.com", "Example", "Example:alice@example.com"),
        ("alice b", "ACME Co", "ACME%20Co:alice%20b"),
        ("alice", "localhost:8000", "localhost%3A8000:alice"),
        ("a+b/c?d&e#f%g", "R&D", "R%26D:a%2Bb%2Fc%3Fd%26e%23f%25g"),
        ("Zoë", "日本", "%E6%97%A5%E6%9C%AC:Zo%C3%AB"),
        ("a:b", "Example", "Example:a%3Ab"),
    ],
)
def test_label_is_encoded_part_by_part(name: str, issuer: str, label: str) -> None:
    """The colon between issuer and name is the only one left as it is."""
    assert written(name=name, issuer=issuer).startswith(f"otpauth://totp/{label}?secret=")


# Reading


@pytest.mark.parametrize(
    ("uri", "name", "issuer"),
    [
        ("otpauth://totp/alice?secret=S", "alice", ""),
        ("otpauth://totp/Example:alice?secret=S", "alice", "Example"),
        ("otpauth://totp/Example:alice?secret=S&issuer=Example", "alice", "Example"),
        ("otpauth://totp/alice?secret=S&issuer=Example", "alice", "Example"),
        # The colon may be encoded, and spaces may follow it.
        ("otpauth://totp/Example%3Aalice?secret=S&issuer=Example", "alice", "Example"),
        ("otpauth://totp/Example%3Aalice?secret=S", "alice", "Example"),
        ("otpauth://totp/Example%3A%20alice?secret=S", "alice", "Example"),
        ("otpauth://totp/Example:%20%20alice?secret=S&issuer=Example", "alice", "Example"),
        # A port in the issuer.
        ("otpauth://totp/localhost:8000:alice?secret=S&issuer=localhost:8000", "alice", "localhost:8000"),
        ("otpauth://totp/localhost%3A8000:alice?secret=S&issuer=localhost%3A8000", "alice", "localhost:8000"),
        ("otpauth://totp/localhost%3A8000%3Aalice?secret=S&issuer=localhost%3A8000", "alice", "localhost:8000"),
        ("otpauth://totp/localhost%3A8000:alice?secret=S", "alice", "localhost:8000"),
        ("otpauth://totp/alice?secret=S&issuer=localhost:8000", "alice", "localhost:8000"),
        # A '+' is a space for form encoders, itself for URI encoders; the label tells which.
        ("otpauth://totp/ACME%20Co:alice?secret=S&issuer=ACME+Co", "alice", "ACME Co"),
        ("otpauth://totp/ACME+Co:alice?secret=S&issuer=ACME+Co", "alice", "ACME+Co"),
        ("otpauth://totp/C%2B%2B:alice?secret=S&issuer=C%2B%2B", "alice", "C++"),
        ("otpauth://totp/alice?secret=S&issuer=ACME+Co", "alice", "ACME Co"),
        ("otpauth://totp/Example:alice+test@example.com?secret=S", "alice+test@example.com", "Example"),
        # As HTML escapes it, as it stands in an address bar, as somebody shouts it.
        ("otpauth://totp/alice?secret=S&amp;issuer=Example", "alice", "Example"),
        ("otpauth://totp/ACME Co:Zoë?secret=S&issuer=ACME Co", "Zoë", "ACME Co"),
        ("OTPAUTH://TOTP/Example:alice?SECRET=S&Issuer=Example", "alice", "Example"),
        ("  otpauth://totp/Example:alice?secret=S\n", "alice", "Example"),
        (r"otpauth:\/\/totp\/Example:alice?secret=S\u0026issuer=Example", "alice", "Example"),
        ("otpauth://totp/alice?secret&#x3D;S&#38;issuer&#61;Example", "alice", "Example"),
        ("otpauth%3A%2F%2Ftotp%2FExample%3Aalice%3Fsecret%3DS%26issuer%3DExample", "alice", "Example"),
        ("OTPAUTH%253A%252F%252Ftotp%252Falice%253Fsecret%253DS", "alice", ""),
        # The label says more than the parameter: a tenant, a workspace, a shop and its domain.
        ("otpauth://totp/Contoso+Ltd%3Aalice?secret=S&issuer=Microsoft", "Contoso+Ltd:alice", "Microsoft"),
        ("otpauth://totp/Contoso:alice?secret=S&issuer=Microsoft", "Contoso:alice", "Microsoft"),
        ("otpauth://totp/Slack%20(Example%20Ltd):alice?secret=S&issuer=Slack", "Slack (Example Ltd):alice", "Slack"),
        ("otpauth://totp/My%20Shop:alice?secret=S&issuer=example.com", "My Shop:alice", "example.com"),
        # Or the same in another spelling.
        ("otpauth://totp/GitHub:alice?secret=S&issuer=github", "alice", "github"),
        ("otpauth://totp/Example%20:alice?secret=S&issuer=Example", "alice", "Example"),
        ("otpauth://totp/ACME+Co:alice?secret=S&issuer=ACME%20Co", "alice", "ACME Co"),
        ("otpauth://totp/ACME%20Co:alice?secret=S&issuer=ACME%2520Co", "alice", "ACME Co"),
        ("otpauth://totp/A & B:alice?secret=S&issuer=A & B", "alice", "A & B"),
        ("otpauth://totp/R&D:alice?issuer=R&D&secret=S", "alice", "R&D"),
        # Without a name it is called by its issuer.
        ("otpauth://totp/Example:?secret=S", "Example", "Example"),
        ("otpauth://totp/?secret=S&issuer=Example", "Example", "Example"),
        ("otpauth://totp?secret=S", "account", ""),
        # Parts that stand for themselves.
        ("otpauth://totp/Example:a%3Ab?secret=S&issuer=Example", "a:b", "Example"),
        ("otpauth://totp/Example:50%25?secret=S", "50%", "Example"),
        ("otpauth://totp/Example:a/b?secret=S", "a/b", "Example"),
        ("otpauth://totp/Example:alice?issuer=&secret=S", "alice", "Example"),
        ("otpauth://totp/%E6%97%A5%E6%9C%AC:Zo%C3%AB?secret=S&issuer=%E6%97%A5%E6%9C%AC", "Zoë", "日本"),
    ],
)
def test_label_and_issuer(uri: str, name: str, issuer: str) -> None:
    """Issuer and account name as pages write them, and nothing that the URI does not say."""
    assert parse_uri(uri) == {"name": name, "issuer": issuer, "secret": "S"}


def test_parameters_are_read_as_they_are_typed() -> None:
    """Numbers become numbers; whether they are accepted is the token's to say."""
    assert parse_uri("otpauth://totp/a?secret=jbsw%20y3dp&algorithm=HmacSHA256&digits=99&period=0") == {
        "name": "a",
        "issuer": "",
        "secret": "jbsw y3dp",
        "algorithm": "HmacSHA256",
        "digits": 99,
        "period": 0,
    }


def test_unknown_parameters_are_passed_over() -> None:
    """Pages add pictures, colours and others; even twice, they are nothing to a code."""
    uri = "otpauth://totp/a?secret=S&image=https%3A%2F%2Fexample.com%2Fa.png&color=a&color=b&lock"

    assert parse_uri(uri) == {"name": "a", "issuer": "", "secret": "S"}


@given(
    name=TEXT.filter(bool),
    issuer=TEXT,
    digits=st.integers(6, 8),
    period=st.integers(1, 86_400),
    algorithm=st.sampled_from(["sha1", "sha256", "sha512"]),
)
def test_what_is_written_is_read_back(name: str, issuer: str, digits: int, period: int, algorithm: str) -> None:
    """For every name and issuer of any script, colons and escapes in them included."""
    if not issuer:
        # Without an issuer a colon in the name is one between issuer and name; `Token` refuses that.
        name = name.replace(":", "") or "a"
    shape: dict[str, Any] = {"name": name, "issuer": issuer, "secret": SECRET, "digits": digits, "period": period}

    read = parse_uri(format_uri(**shape, algorithm=algorithm))

    assert read == {**shape, "algorithm": algorithm.upper()}


# Refusals


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8",
            "this is an otpauth-migration:// export; accepted is an otpauth://totp/ URI",
        ),
        ("https://example.com/", "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        ("otpauth:totp/a?secret=S", "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        ("", "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        (
            f"otpauth://hotp/a?secret={SECRET}&counter=0",
            "the type of the key URI is 'hotp'; accepted is totp",
        ),
        (f"otpauth://STEAM/a?secret={SECRET}", "the type of the key URI is 'STEAM'; accepted is totp"),
        (f"otpauth://{SECRET}", "the type of the key URI is unknown; accepted is totp"),
        (f"otpauth://?secret={SECRET}", "the type of the key URI is unknown; accepted is totp"),
        (
            f"otpauth://totp/Steam:a?secret={SECRET}&encoder=steam",
            "the key URI has encoder='steam'; accepted is plain totp",
        ),
        (
            "otpauth://totp/a?digits=6",
            "the key URI has no secret; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32",
        ),
        (
            "otpauth://totp/a?secret=&digits=6",
            "the key URI has no secret; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32",
        ),
        ("otpauth://totp/a", "the key URI has no secret; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        (f"otpauth://totp/a?secret={SECRET}&Secret=AE", "the key URI has secret twice; accepted is one"),
        (f"otpauth://totp/a?secret={SECRET}&digits=6&digits=6", "the key URI has digits twice; accepted is one"),
        (f"otpauth://totp/a?secret={SECRET}&issuer=A&issuer=B", "the key URI has issuer twice; accepted is one"),
        (f"otpauth://totp/a?secret={SECRET}&digits=six", "the key URI has digits='six'; accepted is a whole number"),
        (f"otpauth://totp/a?secret={SECRET}&digits=", "the key URI has digits=''; accepted is a whole number"),
        (f"otpauth://totp/a?secret={SECRET}&period=30.0", "the key URI has period='30.0'; accepted is a whole number"),
        (f"otpauth://totp/a?secret={SECRET}&period=-30", "the key URI has period='-30'; accepted is a whole number"),
        (
            f"otpauth://totp/a?secret={SECRET}&period=٣٠",
            r"the key URI has period='\u0663\u0660'; accepted is a whole number",
        ),
        (
            f"otpauth://totp/a?secret={SECRET}&period={'9' * 5000}",
            "the key URI has period='999999999999...9999999999999'; accepted is a whole number",
        ),
        (
            f"otpauth://totp/50%?secret={SECRET}",
            "the label of the key URI has a '%' without two hexadecimal digits after it",
        ),
        (
            f"otpauth://totp/a?secret={SECRET}%ZZ",
            "the secret of the key URI has a '%' without two hexadecimal digits after it",
        ),
        (
            f"otpauth://totp/a?secret={SECRET}&issuer=%F",
            "the issuer of the key URI has a '%' without two hexadecimal digits after it",
        ),
        (
            f"otpauth://totp/%FF?secret={SECRET}",
            "the label of the key URI is not UTF-8 where it is percent-encoded",
        ),
        (
            f"otpauth://totp/a?secret={SECRET}&algorithm=%C3",
            "the algorithm of the key URI is not UTF-8 where it is percent-encoded",
        ),
    ],
)
def test_refused_uri(uri: str, message: str) -> None:
    """The message says what is wrong and what is accepted, and never shows the secret."""
    with pytest.raises(InvalidInput) as caught:
        parse_uri(uri)

    assert str(caught.value) == message
    assert SECRET not in str(caught.value)
