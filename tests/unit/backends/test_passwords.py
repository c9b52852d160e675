"""Passwords at rest: bcrypt, of any length."""

import sys
from typing import Any

import pytest

from pytest_totphog import InvalidInput, MissingExtra
from pytest_totphog.backends.passwords import PasswordHasher


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    """A hasher of the least cost."""
    return PasswordHasher()


def test_password_matches_its_hash(hasher: PasswordHasher) -> None:
    """And no other password does."""
    hashed = hasher.hash("down the rabbit hole")
    assert hasher.verify("down the rabbit hole", hashed) is True
    assert hasher.verify("down the rabbit hold", hashed) is False


def test_hash_is_bcrypt_s_with_a_salt_of_its_own(hasher: PasswordHasher) -> None:
    """The same password twice gives two hashes, of the least cost unless asked otherwise."""
    first, second = hasher.hash("secret"), hasher.hash("secret")
    assert first != second
    assert first.startswith("$2b$04$")
    assert len(first) == 60


def test_hash_of_another_cost_is_verified(hasher: PasswordHasher) -> None:
    """A hash says what it cost, so that the cost can be raised later."""
    hashed = PasswordHasher(cost=5).hash("secret")
    assert hashed.startswith("$2b$05$")
    assert hasher.verify("secret", hashed) is True


@pytest.mark.parametrize("length", [72, 73, 1000, 100_000])
def test_long_password_is_not_truncated(hasher: PasswordHasher, length: int) -> None:
    """The last character counts, though bcrypt alone reads 72 bytes."""
    hashed = hasher.hash("a" * (length - 1) + "b")
    assert hasher.verify("a" * (length - 1) + "b", hashed) is True
    assert hasher.verify("a" * (length - 1) + "c", hashed) is False
    assert hasher.verify("a" * length + "b", hashed) is False


def test_what_follows_a_nul_counts(hasher: PasswordHasher) -> None:
    """In C a text ends there."""
    hashed = hasher.hash("before\0after")
    assert hasher.verify("before\0after", hashed) is True
    assert hasher.verify("before\0other", hashed) is False
    assert hasher.verify("before", hashed) is False


@pytest.mark.parametrize("password", ["", " ", "Ж" * 40, "🦔", "e\u0301", "\ud800"])
def test_any_text_is_a_password(hasher: PasswordHasher, password: str) -> None:
    """It is taken as it is, without a normal form."""
    hashed = hasher.hash(password)
    assert hasher.verify(password, hashed) is True
    assert hasher.verify(password + "x", hashed) is False


def test_normal_forms_are_told_apart(hasher: PasswordHasher) -> None:
    """Two ways to write é are two passwords."""
    assert hasher.verify("\u00e9", hasher.hash("e\u0301")) is False


@pytest.mark.parametrize("hashed", [None, ""])
@pytest.mark.parametrize("password", ["", "secret"])
def test_account_without_a_hash_has_no_password(hasher: PasswordHasher, password: str, hashed: str | None) -> None:
    """Not the empty one either."""
    assert hasher.verify(password, hashed) is False


def test_account_that_does_not_exist_costs_the_same_work(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash of the same cost is computed with and without an account, so that an answer's time tells nothing."""
    import bcrypt

    costs = []
    check = bcrypt.checkpw

    def counting(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    hasher.verify("secret", hasher.hash("secret"))
    hasher.verify("secret", None)
    assert costs == [b"$2b$04$", b"$2b$04$"]


@pytest.mark.parametrize("cost", [3, 21, 0, -1, 4.0, "4", True, None])
def test_cost_out_of_range_is_refused(cost: Any) -> None:
    """20 takes a minute; bcrypt itself would go on to 31, which takes more than a day."""
    with pytest.raises(InvalidInput, match=r"^the bcrypt cost is .+; accepted are 4 to 20$"):
        PasswordHasher(cost=cost)


def test_without_bcrypt_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install stands in it."""
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(MissingExtra) as error:
        PasswordHasher()
    assert str(error.value) == ("this backend needs bcrypt; install it with: pip install 'pytest-totphog[backends]'")
