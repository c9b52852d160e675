"""The unencrypted exports of authenticators and password managers, as the parameters of tokens.

Read are those of Aegis, andOTP, Bitwarden (JSON and CSV), 2FAS and Raivo; Ente's is a list of URIs.
Source: https://github.com/beemdevelopment/Aegis/tree/master/app/src/test/resources/com/beemdevelopment/aegis/importers
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from pytest_totphog.credentials.otpauth import NotTotp, parse_uri
from pytest_totphog.errors import InvalidInput, hidden_in_reports, shown

__all__ = ["Entry", "accounts_of_export"]

__tracebackhide__ = hidden_in_reports

# The parameters of a token, or why an account is none.
Entry: TypeAlias = "dict[str, Any] | NotTotp"

_BITWARDEN_CSV: Final = "folder,favorite,type,name,"
_ACCEPTED: Final = "accepted are the unencrypted exports of Aegis, andOTP, Bitwarden, Ente, 2FAS and Raivo"


def accounts_of_export(text: str) -> tuple[str, list[Entry]] | None:
    """Return whose export a text is, as in "an Aegis export", and its accounts; None for a text that is no export.

    Raises:
        InvalidInput: for an export that is encrypted, broken, unknown, or without an account.
    """
    text = text.strip().removeprefix("\ufeff")
    if text.startswith(_BITWARDEN_CSV):
        whose, entries = "a Bitwarden export", _bitwarden_csv(text)
    elif text.startswith(("{", "[")):
        try:
            whose, entries = _of_json(json.loads(text))
        except (RecursionError, ValueError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise InvalidInput(f"this begins as JSON does, and is none; {_ACCEPTED}") from None
    else:
        return None
    try:
        found = list(entries)
    except (AttributeError, KeyError, TypeError, csv.Error):
        raise InvalidInput(f"this is {whose}, but an account in it has not the fields that it should have") from None
    if not found:
        raise InvalidInput(f"this is {whose}, and it has no account with one-time passwords")
    return whose, found


def _of_json(data: Any) -> tuple[str, Iterator[Entry]]:
    match data:
        case {"encryptedData": _, "kdfParams": _}:
            raise _encrypted("an Ente export")
        case {"servicesEncrypted": str(secret)} if secret:
            raise _encrypted("a 2FAS export")
        case {"services": list(services)}:
            return "a 2FAS export", map(_two_fas, services)
        case {"header": _, "db": str()}:
            raise _encrypted("an Aegis export")
        case {"db": {"entries": list(entries)}}:
            return "an Aegis export", map(_aegis, entries)
        case {"encrypted": True}:
            raise _encrypted("a Bitwarden export")
        case {"items": list(items)}:
            return "a Bitwarden export", _bitwarden(items)
        case [{"kind": _, "secret": _}, *_]:
            return "a Raivo export", map(_raivo, data)
        case [{"type": _, "secret": _}, *_]:
            return "an andOTP export", map(_and_otp, data)
    raise InvalidInput(f"this is JSON, but no export that is known; {_ACCEPTED}")


def _encrypted(whose: str) -> InvalidInput:
    return InvalidInput(f"this is {whose}, and it is encrypted; export it again without a password")


def _two_fas(service: Mapping[str, Any]) -> Entry:
    otp = service["otp"]
    return _entry(
        otp.get("tokenType") or "TOTP",
        otp.get("account") or otp.get("label") or service.get("name"),
        otp.get("issuer") or service.get("name"),
        service["secret"],
        otp,
    )


def _aegis(entry: Mapping[str, Any]) -> Entry:
    return _entry(entry["type"], entry.get("name"), entry.get("issuer"), entry["info"]["secret"], entry["info"])


def _and_otp(entry: Mapping[str, Any]) -> Entry:
    return _entry(entry["type"], entry.get("label"), entry.get("issuer"), entry["secret"], entry)


def _raivo(entry: Mapping[str, Any]) -> Entry:
    return _entry(entry["kind"], entry.get("account"), entry.get("issuer"), entry["secret"], entry)


def _bitwarden(items: list[Mapping[str, Any]]) -> Iterator[Entry]:
    for item in items:
        login = item.get("login") or {}
        if login.get("totp"):
            yield _vault(login["totp"], item.get("name"), login.get("username"))


def _bitwarden_csv(text: str) -> Iterator[Entry]:
    for row in csv.DictReader(text.splitlines()):
        if row.get("login_totp"):
            yield _vault(row["login_totp"], row["name"], row["login_username"])


def _vault(totp: str, name: str | None, user: str | None) -> Entry:
    """Return an account of Bitwarden's, which keeps a URI, a secret, or a secret of Steam's."""
    if totp.lower().startswith("otpauth://"):
        try:
            return parse_uri(totp)
        except NotTotp as error:
            return error
    return _entry("steam" if totp.lower().startswith("steam://") else "totp", user or name, name, totp, {})


_FIELDS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "digits": ("digits", int),
    "period": ("period", int),
    "timer": ("period", int),
    "algorithm": ("algorithm", str),
    "algo": ("algorithm", str),
}


def _entry(kind: str, name: str | None, issuer: str | None, secret: str, shape: Mapping[str, Any]) -> Entry:
    name, issuer = name or issuer or "account", issuer or ""
    if not issuer and ":" in name:
        issuer, _, name = name.partition(":")
    if kind.lower() != "totp":
        account, kind = f"{issuer}:{name}" if issuer else name, kind.lower()
        return NotTotp(f"the account {account!a} of the export is {shown(kind)}; accepted is totp", account, kind)
    token: dict[str, Any] = {"name": name.strip(), "issuer": issuer.strip(), "secret": secret}
    for field, (parameter, read) in _FIELDS.items():
        if shape.get(field) is not None:
            try:
                token[parameter] = read(shape[field])
            except ValueError:
                raise InvalidInput(f"the account {name!a} of the export has {field}={shown(shape[field])}") from None
    return token
