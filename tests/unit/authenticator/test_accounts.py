"""Accounts: read from a file or the environment, checked, and held by one test at a time."""

import json
import logging
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_totphog import Account, AccountUnavailable, InvalidInput
from pytest_totphog.authenticator.accounts import AccountPool, as_accounts, read_accounts
from pytest_totphog.credentials.token import Secret
from pytest_totphog.stores.leases import Lease, Leases
from pytest_totphog.stores.memory import MemoryRepository

ALICE = {"name": "alice", "password": "correct horse", "secret": "MFRGGZDFMZTWQ2LK"}
BOB = {
    "name": "bob@example.com",
    "password": "battery staple",
    "uri": "otpauth://totp/Shop:bob?secret=GEZDGNBVGY3TQOJQ&issuer=Shop&digits=8",
}
SECRETS = ("correct horse", "battery staple", "MFRGGZDFMZTWQ2LK", "GEZDGNBVGY3TQOJQ")

# An account


def test_account_with_a_secret() -> None:
    """Its token has the account's name and the usual parameters; the secret may be spelled as a page prints it."""
    account = Account("alice", "correct horse", secret="mfrg gzdf mztw q2lk")

    assert (account.name, account.password) == ("alice", "correct horse")
    assert (account.token.name, account.token.digits, account.token.period) == ("alice", 6, 30)
    assert account.secret == account.token.secret == "MFRGGZDFMZTWQ2LK"


def test_account_with_a_uri() -> None:
    """The URI says all about the token; what the user logs in with is another thing."""
    account = Account(**BOB)

    assert account.name == "bob@example.com"
    assert (account.token.name, account.token.issuer, account.token.digits) == ("bob", "Shop", 8)
    assert account.token.secret == "GEZDGNBVGY3TQOJQ"


def test_nothing_secret_is_shown() -> None:
    """`repr` names the account alone, and what is secret in it is shown by no report."""
    alice, bob = Account(**ALICE), Account(**BOB)

    assert repr([alice, bob]) == "[Account(name='alice'), Account(name='bob@example.com')]"
    assert [type(text) for text in (alice.password, alice.secret, bob.password, bob.uri)] == [Secret] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "name is missing; accepted is a string"),
        ({"name": ""}, "name is empty; accepted is a string with a visible character"),
        ({"name": 7}, "name is of type int; accepted is a string"),
        ({"password": None}, "password is missing; accepted is a string"),
        ({"password": ""}, "password has 0 characters; accepted are 1 to 1024"),
        ({"password": ["correct horse"]}, "password is of type list; accepted is a string"),
        ({"secret": None}, "secret and uri are both missing; accepted is one"),
        ({"uri": BOB["uri"]}, "secret and uri are both given; accepted is one"),
        ({"secret": ""}, "the secret is empty; accepted is base32"),
        ({"secret": 7}, "secret is of type int; accepted is a base32 string"),
        ({"secret": "MFRGGZDFMZTWQ2L1"}, "the secret is not base32: character 16 is '1'"),
        ({"secret": None, "uri": 7}, "uri is of type int; accepted is a string such as otpauth://totp/"),
        ({"secret": None, "uri": "https://example.com"}, "otpauth"),
    ],
)
def test_what_is_not_accepted(change: dict[str, Any], message: str) -> None:
    """The error says what is wrong, in one place for every door, and shows no secret."""
    with pytest.raises(InvalidInput, match=re.escape(message)) as caught:
        Account(**(ALICE | change))

    assert [secret for secret in SECRETS if secret in str(caught.value)] == []


# A list of accounts


def test_list_may_mix_accounts_and_mappings() -> None:
    """As a fixture returns it; their order is kept."""
    alice = Account(**ALICE)

    accounts = as_accounts([alice, BOB])

    assert accounts[0] is alice
    assert [account.name for account in accounts] == ["alice", "bob@example.com"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "it has no accounts; accepted is a JSON list"),
        (ALICE, "it is of type dict; accepted is a JSON list"),
        (None, "it is missing; accepted is a JSON list"),
        ([ALICE, "bob"], "entry 2: it is of type str; accepted is an object with name, password, secret, uri"),
        ([{}], "entry 1: "),
        ([ALICE, {**BOB, "pasword": "x"}], "entry 2: unknown: 'pasword'; accepted are name, password, secret, uri"),
        ([{**dict[Any, Any](ALICE), 7: "x"}], "entry 1: unknown: 7; accepted are name, password, secret, uri"),
        ([BOB, {**ALICE, "password": None}], "entry 2: password is missing; accepted is a string"),
        ([BOB, {**ALICE, "secret": "1"}], "entry 2: the secret is not base32: character 1 is '1'"),
        ([ALICE, BOB, {**BOB, "name": "alice"}], "entry 3: its name is that of entry 1; list each account once"),
        ([ALICE, {**ALICE, "name": "bob"}], "entry 2: its credential is that of entry 1; list each account once"),
    ],
)
def test_list_that_is_not_accepted(entries: Any, message: str) -> None:
    """The error says which entry and which field, and shows no secret."""
    with pytest.raises(InvalidInput, match=re.escape(message)) as caught:
        as_accounts(entries)

    assert [secret for secret in SECRETS if secret in str(caught.value)] == []


def test_accounts_of_a_file(tmp_path: Path) -> None:
    """A JSON list, in whichever of Unicode's encodings."""
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps([ALICE, BOB]), "utf-16")

    assert [account.name for account in read_accounts(path)] == ["alice", "bob@example.com"]
    assert [account.password for account in read_accounts(str(path))] == ["correct horse", "battery staple"]


def test_accounts_of_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same JSON, as CI keeps its secrets."""
    monkeypatch.setenv("SHOP_ACCOUNTS", json.dumps([ALICE]))

    assert [account.name for account in read_accounts("env:SHOP_ACCOUNTS")] == ["alice"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is not JSON at line 1, column 1; accepted is a JSON list"),
        ("[" + json.dumps(ALICE), " is not JSON at line 1, column 78; accepted is a JSON list"),
        ("[" * 100_000, " is not JSON; accepted is a JSON list"),
        ("[]", ": it has no accounts; accepted is a JSON list"),
        (json.dumps([ALICE, ALICE]), ": entry 2: its name is that of entry 1; list each account once"),
    ],
)
def test_file_that_is_not_accepted(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file, and shows nothing of what stands in it."""
    path = tmp_path / "accounts.json"
    path.write_text(text, "utf-8")

    with pytest.raises(InvalidInput, match=re.escape(f"{path}{message}")) as caught:
        read_accounts(path)

    assert [secret for secret in SECRETS if secret in str(caught.value)] == []


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """The error says what the system says."""
    with pytest.raises(InvalidInput, match=f"^cannot read {tmp_path}/accounts.json: No such file or directory$"):
        read_accounts(tmp_path / "accounts.json")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, " is not set; accepted is a JSON list"),
        ("", " is not set; accepted is a JSON list"),
        ("MFRGGZDFMZTWQ2LK", " is not JSON at line 1, column 1; accepted is a JSON list"),
        ("{}", ": it is of type dict; accepted is a JSON list"),
        ('[{"name": "\udcff", "password": "correct horse", "secret": "MFRGGZDFMZTWQ2LK"}]', ": entry 1: name contains"),
    ],
)
def test_variable_that_is_not_accepted(monkeypatch: pytest.MonkeyPatch, value: str | None, message: str) -> None:
    """The error names the variable, and shows nothing of what it holds."""
    if value is None:
        monkeypatch.delenv("SHOP_ACCOUNTS", raising=False)
    else:
        monkeypatch.setenv("SHOP_ACCOUNTS", value)

    with pytest.raises(InvalidInput, match=re.escape(f"the environment variable SHOP_ACCOUNTS{message}")) as caught:
        read_accounts("env:SHOP_ACCOUNTS")

    assert [secret for secret in SECRETS if secret in str(caught.value)] == []


# A pool


class Watch:
    """A clock that runs when told."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return what it shows."""
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    """What leases expire on."""
    return Watch()


@pytest.fixture
def pool(watch: Watch) -> Callable[[], AccountPool]:
    """Return the pool of another test each time: Alice and Bob, shared by all."""
    repository: MemoryRepository[Lease] = MemoryRepository()
    return lambda: AccountPool(as_accounts([ALICE, BOB]), Leases(repository, 30, watch), timeout=0)


def test_accounts_are_taken_and_given_back(pool: Callable[[], AccountPool]) -> None:
    """A test gets what no other one has, and all it has taken is free when it ends."""
    first, second = pool(), pool()

    assert first.take("test_login").name == "alice"
    assert second.take("test_admin").name == "bob@example.com"
    first.close()
    assert second.take("test_admin").name == "alice"
    second.close()
    assert pool().take("test_logout").name == "bob@example.com"


def test_accounts_go_by_their_credential() -> None:
    """Two jobs whose files name the accounts differently share them all the same."""
    repository: MemoryRepository[Lease] = MemoryRepository()
    ours = AccountPool([Account(**ALICE)], Leases(repository), timeout=0)
    theirs = AccountPool([Account(**(ALICE | {"name": "first", "password": "another"}))], Leases(repository), timeout=0)

    assert ours.take("test_login").name == "alice"
    with pytest.raises(AccountUnavailable, match="first is held by test_login"):
        theirs.take("test_login")
    ours.close()
    assert theirs.take("test_login").name == "first"
    theirs.close()


def test_account_is_held_for_as_long_as_the_test_takes() -> None:
    """Its lease is renewed until the end."""
    repository: MemoryRepository[Lease] = MemoryRepository()
    pool = AccountPool([Account(**ALICE)], Leases(repository, 0.3), timeout=0)
    threads = threading.active_count()
    pool.take("test_login")
    looking = threading.Event()

    while not repository.find(renewals=3):
        assert threading.active_count() == threads + 1
        looking.wait(0.01)

    pool.close()
    assert threading.active_count() == threads


def test_holders_are_named_when_none_is_free(pool: Callable[[], AccountPool], watch: Watch) -> None:
    """The reader learns who has which, and what to do."""
    first, second, third = pool(), pool(), pool()
    first.take("gw1 tests/test_login.py::test_login")
    second.take("gw2 tests/test_login.py::test_admin")
    with pytest.raises(AccountUnavailable):
        third.take("gw3 tests/test_login.py::test_logout")
    watch.seconds += 12

    with pytest.raises(AccountUnavailable) as caught:
        third.take("gw3 tests/test_login.py::test_logout")

    assert str(caught.value) == (
        "none of 2 accounts was free within 0 s: "
        "alice is held by gw1 tests/test_login.py::test_login, for at least 12 s; "
        "bob@example.com is held by gw2 tests/test_login.py::test_admin, for at least 12 s. "
        "Add accounts to the pool, or wait longer: ini totphog_account_timeout"
    )
    first.close()
    second.close()


class InterruptedLeases(Leases):
    """Leases of which no wait comes to its end."""

    def take(self, keys: Sequence[str], holder: str, timeout: float = 0.0) -> Lease | None:
        """Be interrupted in a wait, as by Ctrl-C."""
        if timeout:
            raise KeyboardInterrupt
        return super().take(keys, holder)


def test_wait_for_an_account_says_that_it_begins(caplog: pytest.LogCaptureFixture) -> None:
    """And what interrupts it tells what was going on."""
    pool = AccountPool(as_accounts([ALICE, BOB]), InterruptedLeases(MemoryRepository()), timeout=90)
    other = AccountPool(as_accounts([ALICE, BOB]), pool._leases, timeout=0)
    for _ in range(2):
        other.take("test_login")

    with caplog.at_level(logging.INFO, "pytest_totphog"), pytest.raises(KeyboardInterrupt) as caught:
        pool.take("test_admin")

    other.close()
    assert caplog.messages == ["waiting up to 90 s for an account: others have 2 accounts"]
    assert caught.value.__notes__ == ["was waiting 0 s for an account that others have"]


def test_test_that_has_them_all_does_not_wait_for_itself(pool: Callable[[], AccountPool]) -> None:
    """Nobody else could give one back."""
    only = pool()
    only.take("test_login")
    only.take("test_login")

    with pytest.raises(
        AccountUnavailable, match=r"^the pool has 2 accounts, and this test has taken them all already;"
    ):
        only.take("test_login")
    only.close()


def test_lost_account_is_told_at_the_end(pool: Callable[[], AccountPool], watch: Watch) -> None:
    """What the test saw may be the other one's doing; the other one keeps what it got."""
    slow, other = pool(), pool()
    slow.take("test_login")
    slow.take("test_login")
    with pytest.raises(AccountUnavailable):
        other.take("test_admin")
    watch.seconds += 30
    other.take("test_admin")

    with pytest.raises(AccountUnavailable, match=r"^another test was given alice while this test had it, because"):
        slow.close()

    other.close()
    assert pool().take("test_logout").name == "bob@example.com"
