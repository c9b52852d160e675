"""The secrets that a test process knows, in any text: found, and hidden."""

import pytest

from pytest_totphog.authenticator.accounts import Account
from pytest_totphog.clocks.instants import as_datetime
from pytest_totphog.credentials.token import Token
from pytest_totphog.secrecy.known_secrets import KnownSecrets, of_account, of_token

ALICE = Token.create(name="alice", secret="JBSWY3DPEHPK3PXP", created_at=as_datetime(0))
BOB = Account("bob", 'a "long" <pass> wörd%', "GEZDGNBVGY3TQOJQ")


@pytest.fixture
def known() -> KnownSecrets:
    """What knows the secret of alice, and the account of bob."""
    known = KnownSecrets()
    known.add([of_token(ALICE), *of_account(BOB)])
    return known


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("secret JBSW Y3DP EHPK 3PXP, twice: jbswy3dpehpk3pxp", "secret ********, twice: ********"),
        ("otpauth://totp/Shop:a?secret=JBSWY3DPEHPK3PXP&digits=6", "otpauth://totp/Shop:a?secret=********&digits=6"),
        ("key 48656c6c6f21deadbeef", "key ********"),
        ("gezdgnbvgy3tqojqJBSWY3DPEHPK3PXP", "****************"),
        ('log in with a "long" <pass> wörd%', "log in with ********"),
        (r'{"password": "a \"long\" <pass> w\u00f6rd%"}', '{"password": "********"}'),
        ("a &quot;long&quot; &lt;pass&gt; wörd%", "********"),
        ("?password=a%20%22long%22%20%3Cpass%3E%20w%C3%B6rd%25&", "?password=********&"),
        ("?password=a+%22long%22+%3Cpass%3E+w%C3%B6rd%25&", "?password=********&"),
        ("a page about a long pass word", "a page about a long pass word"),
        ("", ""),
        ("short", "short"),
    ],
)
def test_masked(known: KnownSecrets, text: str, masked: str) -> None:
    """Asterisks stand in the place of each secret and each password, and the rest stays."""
    assert known.mask(text) == masked


def test_migration_uri(known: KnownSecrets) -> None:
    """An authenticator's export holds the key among other bytes: of it as much is hidden as base64 tells apart."""
    exported = "otpauth-migration://offline?data=CiQKCkhlbGxvId6tvu8SBWFsaWNlGgRTaG9wIAEoATAC"
    assert known.mask(exported) == "otpauth-migration://offline?data=CiQKCk********8SBWFsaWNlGgRTaG9wIAEoATAC"


def test_basic_authentication(known: KnownSecrets) -> None:
    """So does the header of HTTP's basic authentication with a password."""
    header = "Authorization: Basic Ym9iOmEgImxvbmciIDxwYXNzPiB3w7ZyZCU="
    assert known.mask(header) == "Authorization: Basic Ym9iOm********U="


def test_found(known: KnownSecrets) -> None:
    """Each secret is told once by its name, with the first line that shows it, and never by itself."""
    text = "a page\nJBSW Y3DP EHPK 3PXP\njbswy3dpehpk3pxp\nGEZDGNBVGY3TQOJQ"
    assert known.find(text) == [
        ("secret of 'alice' (fingerprint 1c4fa388)", 2),
        ("secret of 'bob' (fingerprint d0eb92e6)", 4),
    ]


def test_too_short() -> None:
    """A secret of one byte, and a password of seven characters, would hide half of what there is to read."""
    known = KnownSecrets()
    assert known.add(of_account(Account("carol", "dragons", "ME"))) == []
    assert known.mask("HERE BE dragons: ME") == "HERE BE dragons: ME"


def test_news() -> None:
    """What is known already is no news, unless it turns out to outlast the run."""
    known, account = KnownSecrets(), Account("alice", "long enough", "JBSWY3DPEHPK3PXP")
    assert [secret.name for secret in known.add([of_token(ALICE), of_token(ALICE)])] == [
        "secret of 'alice' (fingerprint 1c4fa388)"
    ]
    assert [secret.lasting for secret in known.add(of_account(account))] == [True, True]
    assert known.add([of_token(ALICE), *of_account(account)]) == []
    assert len(known) == 2
    assert [(secret.name[:6], secret.lasting) for secret in known.since(1)] == [("secret", True), ("passwo", True)]


def test_repr(known: KnownSecrets) -> None:
    """What is known shows itself in no `repr`."""
    shown = repr(known.since(0))
    assert "bob" in shown
    assert "JBSWY3DPEHPK3PXP" not in shown
    assert "long" not in shown


class CountedText(str):
    """A text that adds up how many characters its lines were counted in."""

    __slots__ = ("counted",)

    def count(self, part: str, start: int, end: int) -> int:  # type: ignore[override]  # only what is asked for
        """Count, and add up."""
        self.counted = getattr(self, "counted", 0) + end - start
        return super().count(part, start, end)


def test_lines_are_counted_once(known: KnownSecrets) -> None:
    """A text that is full of secrets costs no more than its length: megabytes of output are an ordinary failure."""
    text = CountedText("JBSWY3DPEHPK3PXP\n" * 100 + "GEZDGNBVGY3TQOJQ\n" * 100)

    assert known.find(text) == [
        (f"secret of 'alice' (fingerprint {ALICE.fingerprint[:8]})", 1),
        (f"secret of 'bob' (fingerprint {BOB.token.fingerprint[:8]})", 101),
    ]
    assert text.counted < len(text)
