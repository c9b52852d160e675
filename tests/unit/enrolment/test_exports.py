"""Exports of other authenticators: as they write them, without a password."""

import json
from typing import Any

import pytest

from pytest_totphog import InvalidInput
from pytest_totphog.credentials.otpauth import NotTotp
from pytest_totphog.enrolment.exports import accounts_of_export

SECRET, OTHER = "4SJHB4GSD43FZBAI7C2HLRJGPQ", "5OM4WOOGPLQEF6UGN3CPEOOLWU"
URI = f"otpauth://totp/Deno:Mason?secret={SECRET}&issuer=Deno&algorithm=SHA1&digits=6&period=30"

MASON = {"name": "Mason", "issuer": "Deno", "secret": SECRET, "algorithm": "SHA1", "digits": 6, "period": 30}
JAMES = {"name": "James", "issuer": "SPDX", "secret": OTHER, "algorithm": "SHA256", "digits": 7, "period": 20}

AEGIS = {
    "version": 1,
    "header": {"slots": None, "params": None},
    "db": {
        "version": 2,
        "entries": [
            {
                "type": kind,
                "uuid": "",
                "name": name,
                "issuer": issuer,
                "note": "",
                "icon": None,
                "info": {"secret": secret, "algo": algorithm, "digits": digits, "period": period},
            }
            for kind, name, issuer, secret, algorithm, digits, period in [
                ("totp", "Mason", "Deno", SECRET, "SHA1", 6, 30),
                ("totp", "James", "SPDX", OTHER, "SHA256", 7, 20),
                ("steam", "Sophia", "Boeing", OTHER, "SHA1", 5, 30),
            ]
        ],
    },
}
AND_OTP = [
    {"secret": SECRET, "issuer": "Deno", "label": "Mason", "digits": 6, "type": "TOTP", "algorithm": "SHA1",
     "thumbnail": "Default", "last_used": 0, "used_frequency": 0, "period": 30, "tags": []},
    {"secret": OTHER, "label": "SPDX:James", "digits": 7, "type": "TOTP", "algorithm": "SHA256", "period": 20},
    {"secret": OTHER, "issuer": "Boeing", "label": "Sophia", "digits": 5, "type": "STEAM", "algorithm": "SHA1"},
]  # fmt: skip
TWO_FAS = {
    "services": [
        {"name": "Deno", "secret": SECRET, "otp": {
            "link": URI, "label": "Mason", "account": "Mason", "issuer": "Deno", "digits": 6, "period": 30,
            "algorithm": "SHA1", "tokenType": "TOTP", "source": "Link"}, "order": {"position": 0}},
        {"name": "SPDX", "secret": OTHER, "otp": {"label": "James", "digits": 7, "period": 20, "algorithm": "SHA256"}},
        {"name": "Boeing", "secret": OTHER, "otp": {"account": "Sophia", "tokenType": "STEAM", "digits": 5}},
    ],
    "groups": [], "schemaVersion": 4, "appVersionCode": 5000009,
}  # fmt: skip
RAIVO = [
    {"kind": "TOTP", "account": "Mason", "issuer": "Deno", "secret": SECRET, "algorithm": "SHA1", "timer": "30",
     "digits": "6", "counter": "0", "iconType": "", "iconValue": "", "pinned": "false"},
    {"kind": "TOTP", "account": "James", "issuer": "SPDX", "secret": OTHER, "algorithm": "SHA256", "timer": "20",
     "digits": "7", "counter": "0"},
    {"kind": "STEAM", "account": "Sophia", "issuer": "Boeing", "secret": OTHER},
]  # fmt: skip


@pytest.mark.parametrize(
    ("export", "whose"),
    [(AEGIS, "an Aegis export"), (AND_OTP, "an andOTP export"), (TWO_FAS, "a 2FAS export"), (RAIVO, "a Raivo export")],
    ids=["Aegis", "andOTP", "2FAS", "Raivo"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_authenticator(export: Any, whose: str, indent: int | None) -> None:
    """Names, secrets and parameters; what is no TOTP says so."""
    found = accounts_of_export(json.dumps(export, indent=indent))

    assert found is not None
    assert (found[0], found[1][:2]) == (whose, [MASON, JAMES])
    [steam] = found[1][2:]
    assert isinstance(steam, NotTotp)
    assert (steam.account, steam.kind) == ("Boeing:Sophia", "steam")
    assert str(steam) == "the account 'Boeing:Sophia' of the export is 'steam'; accepted is totp"


BITWARDEN = {
    "encrypted": False,
    "folders": [],
    "items": [
        {"type": 1, "name": "Deno", "login": {"username": "m", "password": "p", "totp": URI}},
        {"type": 1, "name": "Harbour", "login": {"username": "bob", "totp": "jbsw y3dp ehpk 3pxp"}},
        {"type": 1, "name": "Boeing", "login": {"username": None, "totp": "steam://" + OTHER}},
        {"type": 1, "name": "Shop", "login": {"username": "x", "totp": URI.replace("totp/", "hotp/")}},
        {"type": 1, "name": "no second factor", "login": {"totp": None}},
        {"type": 2, "name": "note"},
    ],
}
BITWARDEN_CSV = "\n".join([
    "folder,favorite,type,name,notes,fields,login_uri,login_username,login_password,login_totp",
    f',,login,Deno,"two\nlines",,,m,p,{URI}',
    ",,login,Harbour,,,,bob,,jbsw y3dp ehpk 3pxp",
    f",,login,Boeing,,,,,,steam://{OTHER}",
    f",,login,Shop,,,,x,,{URI.replace('totp/', 'hotp/')}",
    ",,login,no second factor,,,,,,",
    ",,note,note,,,,,,",
])  # fmt: skip


@pytest.mark.parametrize("text", [json.dumps(BITWARDEN), BITWARDEN_CSV], ids=["JSON", "CSV"])
def test_bitwarden(text: str) -> None:
    """A vault keeps URIs, secrets, Steam's, and much without either."""
    found = accounts_of_export(text)

    assert found is not None
    assert found[0] == "a Bitwarden export"
    assert found[1][:2] == [MASON, {"name": "bob", "issuer": "Harbour", "secret": "jbsw y3dp ehpk 3pxp"}]
    assert [(each.account, each.kind) for each in found[1][2:] if isinstance(each, NotTotp)] == [
        ("Boeing:Boeing", "steam"),
        ("Deno:Mason", "hotp"),
    ]


ENCRYPTED = "this is {} export, and it is encrypted; export it again without a password"
FIELDS = "this is {} export, but an account in it has not the fields that it should have"
ACCEPTED = "accepted are the unencrypted exports of Aegis, andOTP, Bitwarden, Ente, 2FAS and Raivo"


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ({"version": 1, "header": {"slots": [{}]}, "db": "AAAA"}, ENCRYPTED.format("an Aegis")),
        ({"encrypted": True, "passwordProtected": True, "data": "2.AA|AA"}, ENCRYPTED.format("a Bitwarden")),
        ({"encrypted": True, "items": []}, ENCRYPTED.format("a Bitwarden")),
        ({"version": 1, "kdfParams": {"memLimit": 1}, "encryptedData": "AA"}, ENCRYPTED.format("an Ente")),
        ({"services": [], "servicesEncrypted": "AA:AA:AA"}, ENCRYPTED.format("a 2FAS")),
        ({"db": {"entries": []}}, "this is an Aegis export, and it has no account with one-time passwords"),
        ({"items": [{"login": None}]}, "this is a Bitwarden export, and it has no account with one-time passwords"),
        ({"db": {"entries": [{}]}}, FIELDS.format("an Aegis")),
        ({"services": [5]}, FIELDS.format("a 2FAS")),
        ([{"kind": 5, "secret": "A"}], FIELDS.format("a Raivo")),
        ([{"kind": "totp", "secret": "", "digits": ""}], "the account 'account' of the export has digits=''"),
        ({"tokens": []}, f"this is JSON, but no export that is known; {ACCEPTED}"),
        ([], f"this is JSON, but no export that is known; {ACCEPTED}"),
        ([1], f"this is JSON, but no export that is known; {ACCEPTED}"),
    ],
)  # fmt: skip
def test_refused_export(export: Any, message: str) -> None:
    """The sentence says what it is."""
    with pytest.raises(InvalidInput) as caught:
        accounts_of_export(json.dumps(export))

    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["{", "[1,", "[" * 100_000, "{'a': 1}", "[" + "9" * 5000 + "]"])
def test_broken_json(text: str) -> None:
    """Cut short, too deep, or Python's."""
    with pytest.raises(InvalidInput, match=r"^this begins as JSON does, and is none; |^this is JSON, but no export"):
        accounts_of_export(text)


@pytest.mark.parametrize("text", ["", "JBSWY3DPEHPK3PXP", URI, "folder"])
def test_no_export(text: str) -> None:
    """Whatever else it is."""
    assert accounts_of_export(text) is None
