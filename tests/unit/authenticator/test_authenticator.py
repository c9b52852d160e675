"""The authenticator: it keeps tokens, and tells them the time, the ledger and their URL."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_totphog import Authenticator, Clock, InvalidInput, ServerError, TokenNotFound, TotpToken
from pytest_totphog.authenticator.authenticator import running_test
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.credentials import qr
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores.memory import MemoryRepository

SECRET = "JBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/Example:alice?secret={SECRET}&issuer=Example&digits=8"


@pytest.fixture
def authenticator() -> Authenticator:
    """An authenticator whose clock stands at 2024-01-15T10:30:00Z."""
    clock = Clock()
    clock.freeze("2024-01-15T10:30:00Z")
    return Authenticator(clock)


def test_new_authenticator_is_empty_and_live() -> None:
    """Nothing is shared between authenticators, and codes follow the system's time."""
    assert Authenticator().tokens == []
    assert Authenticator().clock.mode == "live"


# Making tokens


def test_every_token_is_told() -> None:
    """To whoever must know its secret, however it is made, and also when somebody else put it into the store."""
    told: list[str] = []
    repository: MemoryRepository[Token] = MemoryRepository()
    authenticator = Authenticator(tokens=repository, on_token=lambda token: told.append(token.name))

    authenticator.make(name="made")
    authenticator.make(f"otpauth://totp/by-uri?secret={SECRET}")
    authenticator.enroll(SECRET, "enrolled")
    repository.add(Token.create(name="found", created_at=datetime.now(UTC)))
    assert [token.name for token in authenticator.tokens] == ["enrolled", "found"]

    assert list(dict.fromkeys(told)) == ["made", "by-uri", "enrolled", "found"]


def test_made_token_follows_the_clock_and_is_stored_nowhere(authenticator: Authenticator) -> None:
    """Its codes are the clock's; whether it is kept is the caller's to say."""
    token = authenticator.make(name="alice", secret=SECRET)

    assert token.now() == "648307"
    assert token.created_at.isoformat() == "2024-01-15T10:30:00+00:00"
    assert authenticator.tokens == []


def test_token_is_made_from_a_uri(authenticator: Authenticator) -> None:
    """The URI says it all."""
    token = authenticator.make(URI)

    assert (token.name, token.issuer, token.digits) == ("alice", "Example", 8)


def test_uri_and_parameters_exclude_each_other(authenticator: Authenticator) -> None:
    """Which of them were meant would be a guess."""
    with pytest.raises(InvalidInput, match=r"^uri says it all; also given: digits, name$"):
        authenticator.make(URI, name="bob", digits=6)


# Keeping tokens


def test_added_tokens_are_listed_oldest_first(authenticator: Authenticator) -> None:
    """`add` gives the token back, so that making and adding is one expression."""
    alice = authenticator.add(authenticator.make(name="alice"))
    bob = authenticator.add(authenticator.make(name="bob"))

    assert authenticator.tokens == [alice, bob]
    assert authenticator.get(bob.id) == bob


def test_adding_a_token_twice_keeps_it_once(authenticator: Authenticator) -> None:
    """A token is itself."""
    alice = authenticator.add(authenticator.make(name="alice"))
    authenticator.add(alice)

    assert authenticator.tokens == [alice]


@pytest.mark.parametrize("by", [lambda token: token, lambda token: token.id], ids=["token", "id"])
def test_token_is_removed(authenticator: Authenticator, by: Callable[[TotpToken], Any]) -> None:
    """Given itself or its id; the second time it is not there."""
    alice, bob = (authenticator.add(authenticator.make(name=name)) for name in ("alice", "bob"))

    authenticator.remove(by(alice))

    assert authenticator.tokens == [bob]
    with pytest.raises(TokenNotFound, match=r"^Token not found$"):
        authenticator.remove(by(alice))


def test_unknown_id_is_not_found(authenticator: Authenticator) -> None:
    """The sentence is the TOTPHog API's."""
    with pytest.raises(TokenNotFound, match=r"^Token not found$"):
        authenticator.get("550e8400-e29b-41d4-a716-446655440000")


def test_clearing_counts_the_tokens(authenticator: Authenticator) -> None:
    """The number goes into the API's answer."""
    for name in ("alice", "bob", "carol"):
        authenticator.add(authenticator.make(name=name))

    assert authenticator.clear() == 3
    assert authenticator.tokens == []


def test_clearing_keeps_what_was_handed_out(authenticator: Authenticator) -> None:
    """The verifier remembers the step, whether the token is still listed or not."""
    first = authenticator.enroll(SECRET).one_time_code()

    authenticator.clear()

    assert authenticator.enroll(SECRET).one_time_code() != first


def test_restoring_undoes_what_came_after(authenticator: Authenticator) -> None:
    """Added tokens go, removed ones come back, in the order there was."""
    alice, bob = (authenticator.add(authenticator.make(name=name)) for name in ("alice", "bob"))
    before = authenticator.tokens
    authenticator.remove(alice)
    authenticator.add(authenticator.make(name="carol"))

    authenticator.restore(before)

    assert authenticator.tokens == [alice, bob]


# Several authenticators on one repository, as the namespaces of a server are


def test_tokens_of_another_namespace_are_not_there() -> None:
    """Not in the list, not by their id, and clearing or restoring leaves them alone."""
    tokens: MemoryRepository[Token] = MemoryRepository()
    mine, other = Authenticator(tokens=tokens, namespace="mine"), Authenticator(tokens=tokens, namespace="other")
    alice, bob = mine.add(mine.make(name="alice")), other.enroll(SECRET, "bob")

    assert (mine.tokens, other.tokens) == ([alice], [bob])
    assert (issuer_of(alice).token.namespace, issuer_of(bob).token.namespace) == ("mine", "other")
    for call in (other.get, other.remove):
        with pytest.raises(TokenNotFound, match=r"^Token not found$"):
            call(alice.id)
    mine.restore([])
    assert mine.clear() == 0
    assert other.tokens == [bob]


def test_tokens_of_one_repository_follow_who_gives_them() -> None:
    """Two servers of one namespace: a token that one of them adds has the other's clock and ledger there."""
    tokens: MemoryRepository[Token] = MemoryRepository()
    one, other = Authenticator(tokens=tokens), Authenticator(tokens=tokens)
    alice = one.add(one.make(name="alice"))

    assert issuer_of(one.get(alice.id)).keeper is one
    assert issuer_of(other.get(alice.id)).keeper is other


# Enrolling


def test_enrolling_from_a_uri(authenticator: Authenticator) -> None:
    """What an enrolment page shows as a link, or its QR code says."""
    token = authenticator.enroll(URI, name="not used")

    assert (token.name, token.issuer, token.digits) == ("alice", "Example", 8)
    assert authenticator.tokens == [token]


@pytest.mark.parametrize("printed", ["JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", "JBSW-Y3DP-EHPK-3PXP"])
def test_enrolling_from_a_printed_secret(authenticator: Authenticator, printed: str) -> None:
    """What an enrolment page shows for typing in."""
    token = authenticator.enroll(printed, name="alice")

    assert (token.name, token.secret) == ("alice", "JBSWY3DPEHPK3PXP")
    assert authenticator.tokens == [token]


def test_enrolling_from_a_picture(authenticator: Authenticator) -> None:
    """The QR code that the page shows."""
    token = authenticator.enroll(qr.png(URI), name="not used")

    assert (token.name, token.issuer, token.digits) == ("alice", "Example", 8)
    assert authenticator.tokens == [token]


# Google Authenticator's export of alice and bob at Example.
EXPORT = "otpauth-migration://offline?data=Ch4KCkhlbGxvId6tvu8SBWFsaWNlGgdFeGFtcGxlMAIKHAoKR2VuZXJhdG9yIRIDYm9iGgdFeGFtcGxlMAI"


def test_several_accounts_are_one_too_many(authenticator: Authenticator) -> None:
    """They are named, and none is added."""
    with pytest.raises(InvalidInput) as caught:
        authenticator.enroll(EXPORT)

    assert str(caught.value) == (
        "there are 2 accounts: 'Example:alice', 'Example:bob'; accepted is one; "
        "in Python enroll_all() takes all of them"
    )
    assert authenticator.tokens == []


def test_enrolling_all(authenticator: Authenticator) -> None:
    """Every account of an export or picture, in its order."""
    alice, bob = authenticator.enroll_all(qr.png(EXPORT))

    assert [(alice.name, alice.issuer, alice.secret), bob.name] == [("alice", "Example", SECRET), "bob"]
    assert authenticator.tokens == [alice, bob]
    assert len(authenticator.enroll_all(URI)) == 1


def test_enrolling_all_or_none(authenticator: Authenticator) -> None:
    """One that is refused keeps the others out."""
    refused = f"<g transform='translate(450)'>{qr.svg(f'{URI}&period=0')}</g>"
    both = f"<svg width='900' height='400'>{qr.svg(URI)}{refused}</svg>"

    with pytest.raises(InvalidInput, match=r"^period is 0; "):
        authenticator.enroll_all(both)
    assert authenticator.tokens == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "cannot enrol from NoneType; accepted are an otpauth:// URI, a base32 secret, a picture of a QR"),
        (b"JBSWY3DPEHPK3PXP", "this is not a picture that is known; accepted is a PNG, JPEG, WebP or SVG picture"),
        ("https://example.com/", "this is not a key URI; accepted is otpauth://totp/ISSUER:NAME?secret=BASE32"),
        ("JBSWY3DPEHPK3PX!", "the secret is not base32: character 16 is '!'; accepted are the letters A to Z and the"),
        ("Not Found", "the text that begins with 'Not Found' is nothing to enrol with; accepted are an otpauth:// URI"),
        ("", "the secret is empty; accepted is base32"),
    ],
)
def test_refused_enrolment_stores_nothing(authenticator: Authenticator, source: Any, message: str) -> None:
    """The error says what is accepted."""
    with pytest.raises(InvalidInput) as caught:
        authenticator.enroll(source)

    assert str(caught.value).startswith(message)
    assert authenticator.tokens == []


def test_accounts_of_other_kinds_are_skipped(authenticator: Authenticator) -> None:
    """A warning names them; the others are enrolled."""
    uris: Any = [f"otpauth://{kind}/Shop:alice?secret=JBSWY3DPEHPK3PXP" for kind in ("hotp", "totp", "steam")]

    with pytest.warns(
        UserWarning, match=r"^not enrolled: 'Shop:alice' \(hotp\), 'Shop:alice' \(steam\); accepted is totp$"
    ):
        [token] = authenticator.enroll_all(uris)

    assert (token.name, token.issuer) == ("alice", "Shop")


def test_error_names_what_was_given(authenticator: Authenticator) -> None:
    """One account was expected."""
    uris = "\n".join(f"otpauth://totp/Shop:{name}?secret=JBSWY3DPEHPK3PXP" for name in ("alice", "bob"))

    with pytest.raises(InvalidInput) as caught:
        authenticator.enroll(uris)

    assert str(caught.value) == (
        "this is a list of URIs; there are 2 accounts: 'Shop:alice', 'Shop:bob'; accepted is one; in "
        "Python enroll_all() takes all of them"
    )


# Being served


def test_token_knows_where_it_is_served(authenticator: Authenticator) -> None:
    """From when the server has a port, until it stops."""
    token = authenticator.make(name="alice")

    authenticator.open("http://127.0.0.1:8045/api/v1")
    assert token.code_url == f"http://127.0.0.1:8045/api/v1/tokens/{token.id}/code"

    authenticator.close()
    with pytest.raises(ServerError) as caught:
        _ = token.code_url
    assert str(caught.value) == "no server runs for this token; start one: with TotpServer() as server: …"


def test_authenticator_can_be_opened_again(authenticator: Authenticator) -> None:
    """A server that is started anew serves the tokens it had."""
    token = authenticator.make(name="alice")
    authenticator.open("http://127.0.0.1:8045/api/v1")
    authenticator.close()

    authenticator.open("http://127.0.0.1:8046/api/v1")

    assert authenticator.closed is False
    assert token.code_url == f"http://127.0.0.1:8046/api/v1/tokens/{token.id}/code"


# Who takes a code


@pytest.mark.parametrize(
    ("environment", "holder"),
    [
        ({"PYTEST_CURRENT_TEST": "tests/test_login.py::test_login (call)"}, "tests/test_login.py::test_login"),
        ({"PYTEST_CURRENT_TEST": "test_a.py::test_b[two words] (setup)"}, "test_a.py::test_b[two words]"),
        (
            {"PYTEST_CURRENT_TEST": "test_a.py::test_b (call)", "PYTEST_XDIST_WORKER": "gw1"},
            "gw1 test_a.py::test_b",
        ),
        ({"PYTEST_XDIST_WORKER": "gw1"}, "gw1"),
    ],
)
def test_holder_is_the_running_test(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], holder: str) -> None:
    """With its xdist worker, as pytest writes it into the environment."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert running_test() == holder


def test_holder_fits_every_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters make names of any length and of any characters; who it is can be read all the same."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setenv("PYTEST_CURRENT_TEST", f"test_a.py::test_b[line\nbreak \udce9 {'x' * 1000}] (call)")

    assert running_test() == f"test_a.py::test_b[line?break ? {'x' * 469}"


def test_holder_outside_of_pytest_is_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing else to go by."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    assert running_test() == f"process {os.getpid()}"


def test_holder_may_be_somebody_elses_to_say() -> None:
    """An authenticator that serves other processes knows who asks."""
    authenticator = Authenticator(holder=lambda: "job 7")
    token = authenticator.make(name="alice", period=86_400)

    step = issuer_of(token).claim(min_remaining=0).step

    claim = authenticator.ledger.last(issuer_of(token).token.fingerprint)
    assert claim is not None
    assert (claim.step, claim.holder) == (step, "job 7")
