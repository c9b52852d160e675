"""Access tokens: what is issued, what is read, on which clock and with which key."""

import base64
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import jwt
import pytest

from pytest_totphog import Clock, InvalidInput, MissingExtra
from pytest_totphog.backends.access_tokens import AccessTokens, SigningKey
from pytest_totphog.stores.memory import MemoryStore

KEY = "a signing key of 32 bytes or more"
NOW = 1_705_314_600
GOOD = {"sub": "ada", "iat": NOW, "exp": NOW + 3600}


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at 2024-01-15T10:30:00Z."""
    clock = Clock()
    clock.freeze(NOW)
    return clock


@pytest.fixture
def tokens(clock: Clock) -> AccessTokens:
    """The tokens of an app with a key of its own choice."""
    return AccessTokens(clock, KEY)


def segment(value: object) -> str:
    """Return a segment of a token (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


# What is issued


def test_token_says_whose_it_is(tokens: AccessTokens) -> None:
    """What is read from a token is the subject that it was issued to."""
    assert tokens.read(tokens.issue("ada")) == "ada"


def test_claims_are_counted_on_the_injected_clock(tokens: AccessTokens) -> None:
    """Others read the token with the same key, and find whole seconds of our clock."""
    claims = jwt.decode(tokens.issue("ada"), KEY, algorithms=["HS256"], options={"verify_exp": False})

    assert (claims["sub"], claims["iat"], claims["exp"]) == ("ada", NOW, NOW + 3600)


def test_two_tokens_of_one_instant_differ(tokens: AccessTokens) -> None:
    """Each login has a token of its own, on a frozen clock too."""
    assert tokens.issue("ada") != tokens.issue("ada")


# Expiry


def test_token_is_good_until_its_last_instant(tokens: AccessTokens, clock: Clock) -> None:
    """A moment before its lifetime is over it still opens everything."""
    token = tokens.issue("ada")
    clock.tick(3599.999)

    assert tokens.read(token) == "ada"
    assert not tokens.is_expired(token)


def test_expired_token_is_refused(tokens: AccessTokens, clock: Clock) -> None:
    """At the instant of its expiry it is too old (RFC 7519 section 4.1.4)."""
    token = tokens.issue("ada")
    clock.tick(3600)

    assert tokens.read(token) is None
    assert tokens.is_expired(token)


def test_lifetime_is_the_given_one(clock: Clock) -> None:
    """A lifetime of a minute is over after a minute."""
    tokens = AccessTokens(clock, KEY, lifetime=60)
    token = tokens.issue("ada")
    clock.tick(59)
    assert tokens.read(token) == "ada"
    clock.tick(1)
    assert tokens.read(token) is None


def test_clock_that_goes_back_makes_a_token_good_again(tokens: AccessTokens, clock: Clock) -> None:
    """Only `exp` is compared: a token of the future is one of ours, made before the clock was moved back."""
    token = tokens.issue("ada")
    clock.move_to("2024-01-15T09:00:00Z")

    assert tokens.read(token) == "ada"


# What is refused


def test_unsigned_token_is_refused(tokens: AccessTokens) -> None:
    """`alg: none` is no signature, whatever the header says and whatever stands in the signature's place."""
    header, payload = segment({"alg": "none", "typ": "JWT"}), segment(GOOD)
    signature = tokens.issue("ada").rpartition(".")[2]

    assert tokens.read(f"{header}.{payload}.") is None
    assert tokens.read(f"{header}.{payload}") is None
    assert tokens.read(f"{header}.{payload}.{signature}") is None


@pytest.mark.parametrize(("algorithm", "subject"), [("HS256", "ada"), ("HS384", None), ("HS512", None)])
def test_algorithm_is_not_the_tokens_to_choose(clock: Clock, algorithm: str, subject: str | None) -> None:
    """Of three tokens that the right key has signed, the one by HS256 is read."""
    assert AccessTokens(clock, KEY * 2).read(jwt.encode(GOOD, KEY * 2, algorithm)) == subject


def test_token_of_another_key_is_refused_and_not_called_expired(tokens: AccessTokens, clock: Clock) -> None:
    """Whether a forged token has expired is nothing it can be asked."""
    forged = AccessTokens(clock, "another key that has 32 bytes too").issue("ada")
    assert tokens.read(forged) is None
    clock.tick(3600)
    assert not tokens.is_expired(forged)


def test_any_changed_character_is_noticed(tokens: AccessTokens) -> None:
    """Also the last one, whose lowest two bits a lenient decoder throws away."""
    token = tokens.issue("ada")
    changed = [f"{token[:i]}{'A' if token[i] != 'A' else 'B'}{token[i + 1 :]}" for i in range(len(token))]
    last = [token[:-1] + character for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" if character != token[-1]]

    assert [tokens.read(other) for other in changed + last] == [None] * (len(token) + len(last))


def test_claims_of_another_token_are_refused(tokens: AccessTokens) -> None:
    """The signature belongs to the claims: nobody becomes somebody else with their own token."""
    header, _, signature = tokens.issue("mallory").split(".")

    assert tokens.read(f"{header}.{segment(GOOD)}.{signature}") is None


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "ada", "iat": NOW},
        {"sub": "ada", "exp": NOW + 3600},
        {"iat": NOW, "exp": NOW + 3600},
        {**GOOD, "exp": "tomorrow"},
        {**GOOD, "exp": NOW + 0.5},
        {**GOOD, "exp": None},
        {**GOOD, "sub": 7},
        {**GOOD, "sub": None},
        {**GOOD, "aud": "another app"},
    ],
    ids=str,
)
def test_token_with_our_signature_but_other_claims_is_refused(tokens: AccessTokens, claims: dict[str, Any]) -> None:
    """Somebody who shares the key may have made it; it is not one of this app."""
    # PyJWT checks some of the types itself, and so these are signed as they stand.
    token = jwt.api_jws.encode(json.dumps(claims).encode(), KEY, algorithm="HS256")

    assert tokens.read(token) is None
    assert not tokens.is_expired(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "ada",
        "a.b.c",
        "é.é.é",
        "\ud800.\ud800.\ud800",
        " " * 100,
        f"{base64.urlsafe_b64encode(b'[' * 30_000).decode()}.e30.{'A' * 43}",
        f"{segment({'alg': ['HS256']})}.e30.{'A' * 43}",
        f"{segment({'alg': 'HS256', 'kid': 7})}.e30.{'A' * 43}",
    ],
    ids=range(11),
)
def test_text_that_is_no_token_is_refused(tokens: AccessTokens, text: str) -> None:
    """What comes in a header may be anything."""
    assert tokens.read(text) is None
    assert not tokens.is_expired(text)


def test_white_space_and_padding_are_no_part_of_a_token(tokens: AccessTokens) -> None:
    """One token has one spelling (RFC 7515 section 2: without padding, line breaks or blanks)."""
    token = tokens.issue("ada")

    assert [tokens.read(other) for other in (f" {token}", f"{token} ", f"{token}\n", f"{token}=")] == [None] * 4


# The key


def test_random_key_is_nobody_elses(clock: Clock) -> None:
    """Two apps without a key of their choice do not open each other's doors."""
    assert AccessTokens(clock).read(AccessTokens(clock).issue("ada")) is None


def test_random_key_lives_as_long_as_the_store(clock: Clock) -> None:
    """An app that starts again on the same store reads the tokens that it issued before."""
    store = MemoryStore()
    token = AccessTokens(clock, store=store).issue("ada")

    assert AccessTokens(clock, store=store).read(token) == "ada"


def test_emptied_store_ends_all_tokens(clock: Clock) -> None:
    """Where the accounts are gone, their tokens are too."""
    store = MemoryStore()
    tokens = AccessTokens(clock, store=store)
    token = tokens.issue("ada")
    store.clear()

    assert tokens.read(token) is None
    assert tokens.read(tokens.issue("ada")) == "ada"


def test_given_key_goes_before_the_kept_one(clock: Clock) -> None:
    """A key that is changed on purpose ends the tokens of the one before."""
    store = MemoryStore()
    before = AccessTokens(clock, store=store).issue("ada")
    tokens = AccessTokens(clock, KEY, store=store)

    assert tokens.read(before) is None
    assert jwt.decode(tokens.issue("ada"), KEY, algorithms=["HS256"], options={"verify_exp": False})["sub"] == "ada"


def test_workers_that_start_at_once_share_one_key(clock: Clock) -> None:
    """Each of 16 reads the token of every other."""
    store, start = MemoryStore(), Barrier(16)

    def worker(number: int) -> tuple[AccessTokens, str]:
        tokens = AccessTokens(clock, store=store)
        start.wait()
        return tokens, tokens.issue(f"user {number}")

    with ThreadPoolExecutor(16) as pool:
        workers = list(pool.map(worker, range(16)))

    read = [[tokens.read(token) for _, token in workers] for tokens, _ in workers]
    assert read == [[f"user {number}" for number in range(16)]] * 16


def test_kept_key_is_not_shown(clock: Clock) -> None:
    """A log of the store's records does not give the key away."""
    store = MemoryStore()
    AccessTokens(clock, store=store).issue("ada")

    assert repr(store.repository(SigningKey).find()) == "[SigningKey(id='HS256')]"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "31 bytes are one too few for it",
        "\ud800" * 32,
        b"a key must be text, and these are bytes",
        7,
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
    ],
    ids=["empty", "short", "surrogates", "bytes", "number", "public key"],
)
def test_unfit_key_is_refused_and_not_shown(clock: Clock, key: Any) -> None:
    """The message says what is accepted; it may end in a log, so the key is not in it."""
    with pytest.raises(InvalidInput) as caught:
        AccessTokens(clock, key)

    assert str(caught.value) == (
        "the key that signs access tokens is not fit for HS256; "
        "accepted is text of at least 32 bytes (RFC 7518 section 3.2), and no PEM or SSH key"
    )


@pytest.mark.parametrize("lifetime", [0, -1, 315_360_001, 10**5000, 1.5, True, "3600", None], ids=range(8))
def test_other_lifetimes_are_refused(clock: Clock, lifetime: Any) -> None:
    """The message says what is accepted."""
    with pytest.raises(
        InvalidInput, match=r"^the lifetime of access tokens is .+; accepted are 1 to 315360000 seconds$"
    ):
        AccessTokens(clock, KEY, lifetime)


def test_missing_package_is_named(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyJWT the error says what to install."""
    monkeypatch.setitem(sys.modules, "jwt", None)

    with pytest.raises(MissingExtra, match=r"needs PyJWT; install it with: pip install 'pytest-totphog\[backends\]'$"):
        AccessTokens(clock)
