"""The rules of simple: names, secrets, codes."""

import pytest

from pytest_totphog.backends.simple.model import User, Users
from pytest_totphog.backends.verifier import Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores.memory import MemoryStore
from tests.support.threads import in_threads

ALICE = User("alice", "JBSWY3DPEHPK3PXP")


@pytest.fixture
def users(store: MemoryStore, clock: Clock) -> Users:
    """All users, with Alice, who shows 648307 now."""
    store.repository(User).add(ALICE)
    return Users(store, clock, Verifier(store, clock, VerifierPolicy(one_time=False, max_failures=None)))


def test_new_user_has_a_random_secret_of_160_bits(users: Users) -> None:
    """As RFC 4226 section 4 (R6) recommends: 32 characters of base32."""
    bob, carol = users.register("bob"), users.register("carol")
    assert len(bob.secret) == 32
    assert bob.secret != carol.secret
    assert users.get("bob") == bob


def test_secret_is_not_in_a_representation() -> None:
    """Logs and assertion diffs show the name only."""
    assert repr(ALICE) == "User(id='alice')"


def test_registering_a_name_again_changes_nothing(users: Users) -> None:
    """Else anyone could replace a user's secret."""
    assert users.register("alice") is None
    assert users.get("alice") == ALICE


def test_name_registered_by_sixteen_threads_exists_once(users: Users) -> None:
    """One of them gets the user."""
    made = in_threads(16, lambda _: users.register("bob"))
    assert len(made) == 16
    assert [user for user in made if user is not None] == [users.get("bob")]


@pytest.mark.parametrize(
    "name", ["a", "Ж", "Zoë 🦔", "alice@example.com", " bob", "...", "a.", "100%", "a?b#c", "é" * 200]
)
def test_accepted_names(users: Users, name: str) -> None:
    """Anything printable that a path and a key URI can carry."""
    assert users.register(name).id == name


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", "a/b", "a:b", "a\n", "\x00", "a\x7f", "\ud800", "a" * 201],
    ids=["empty", "blank", "dot", "dots", "slash", "colon", "newline", "NUL", "delete", "half a pair", "201"],
)
def test_refused_names(users: Users, store: MemoryStore, name: str) -> None:
    """What no path reaches, no database keeps or no key URI carries; asking for one finds nobody."""
    with pytest.raises(InvalidInput, match=r"^username is not what is accepted: 1 to 200 printable characters"):
        users.register(name)
    assert users.get(name) is None
    assert store.repository(User).find() == [ALICE]


def test_key_uri_is_named_as_the_document_says(users: Users) -> None:
    """An authenticator app lists it under this name."""
    assert users.token(ALICE).uri == (
        "otpauth://totp/TOTP%20Demo%20%28alice%29?secret=JBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30"
    )


def test_code_follows_the_clock(users: Users, clock: Clock) -> None:
    """One code for thirty seconds."""
    assert users.code(ALICE) == "648307"
    clock.tick(29)
    assert users.code(ALICE) == "648307"
    clock.tick(1)
    assert users.code(ALICE) == "764426"


def test_code_is_verified(users: Users) -> None:
    """By the shared verifier, on the same clock."""
    assert users.verify(ALICE, "648307") is True
    assert users.verify(ALICE, "648308") is False
