import math
from typing import Any

import pytest

from pytest_totphog.errors import InvalidInput
from pytest_totphog.inputs import as_email, as_password, as_text, is_number, is_whole, shape

EMAIL_RULE = "; accepted is an address of at most 254 characters such as alice@example.com"
PASSWORD_RULE = "password contains a control character or half a surrogate pair; accepted is printable text"


class TestText:
    """Names, labels and the like."""

    @pytest.mark.parametrize("text", ["a", "a" * 200, " a ", "Zoë Ж 🦔", "\u00a0a", "\u2028a"])
    def test_accepted_text_stays_as_it_is(self, text: str) -> None:
        """In any script, with spaces around it, up to 200 characters."""
        assert as_text("name", text) == text

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "name is missing; accepted is a string"),
            (7, "name is of type int; accepted is a string"),
            (b"a", "name is of type bytes; accepted is a string"),
            ("", "name is empty; accepted is a string with a visible character"),
            (" ", "name is empty; accepted is a string with a visible character"),
            ("\u00a0", "name is empty; accepted is a string with a visible character"),
            ("a" * 201, "name has 201 characters; accepted are 1 to 200"),
            ("a\0", r"name contains the character '\x00'; accepted is printable text"),
            ("a\nb", r"name contains the character '\n'; accepted is printable text"),
            ("a\x1f", r"name contains the character '\x1f'; accepted is printable text"),
            ("a\x7f", r"name contains the character '\x7f'; accepted is printable text"),
            ("a\ud800", r"name contains the character '\ud800'; accepted is printable text"),
            ("\udfffa", r"name contains the character '\udfff'; accepted is printable text"),
        ],
    )
    def test_refused_text(self, value: Any, message: str) -> None:
        """The message names the field, what is wrong and what is accepted."""
        with pytest.raises(InvalidInput) as error:
            as_text("name", value)
        assert str(error.value) == message

    def test_bounds_are_the_caller_s(self) -> None:
        """Both belong to what is accepted."""
        assert [as_text("pin", pin, least=2, most=3) for pin in ("12", "123")] == ["12", "123"]
        for pin, length in (("1", 1), ("1234", 4)):
            with pytest.raises(InvalidInput, match=rf"^pin has {length} characters; accepted are 2 to 3$"):
                as_text("pin", pin, least=2, most=3)

    def test_text_that_may_be_empty(self) -> None:
        """Empty it may be, but not blank."""
        assert as_text("phone", "", least=0) == ""
        with pytest.raises(InvalidInput, match=r"^phone is empty; accepted is a string with a visible character$"):
            as_text("phone", " ", least=0)


class TestEmail:
    """Mail addresses."""

    @pytest.mark.parametrize(
        "address",
        [
            "a@b",
            "Alice@Example.COM",
            "alice.liddell+test@mail.example.com",
            "o'brien_{|}~-!#$%&*/=?^`@1.example",
            "a" * 64 + "@" + "b" * 189,
        ],
    )
    def test_accepted_address_stays_as_it_is(self, address: str) -> None:
        """In either case, and up to 254 characters."""
        assert as_email(address) == address

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("", "''"),
            ("alice", "'alice'"),
            ("@b", "'@b'"),
            ("a@", "'a@'"),
            ("a@b@c", "'a@b@c'"),
            ("a b@c", "'a b@c'"),
            (" a@b", "' a@b'"),
            ("a@b\n", r"'a@b\n'"),
            ("a\0@b", r"'a\x00@b'"),
            ("a@b\x7f", r"'a@b\x7f'"),
            ("ä@b", r"'\xe4@b'"),
            ("a@\ud800", r"'a@\ud800'"),
            ("a@-b", "'a@-b'"),
            ("a@b.", "'a@b.'"),
            ("a,b@c", "'a,b@c'"),
            ("<a@b>", "'<a@b>'"),
            ("a" * 65 + "@b", "'aaaaaaaaaaaa...aaaaaaaaaaa@b'"),
            ("a" * 64 + "@" + "b" * 190, "'aaaaaaaaaaaa...bbbbbbbbbbbbb'"),
        ],
    )
    def test_refused_address(self, value: str, shown: str) -> None:
        """The message shows it, cut short: what could not stand in a mail's header, or is too long for one."""
        with pytest.raises(InvalidInput) as error:
            as_email(value)
        assert str(error.value) == f"email is {shown}{EMAIL_RULE}"

    @pytest.mark.parametrize(
        ("value", "given"), [(None, "missing"), (7, "of type int"), (["a@b"], "of type list")], ids=str
    )
    def test_address_of_another_type_is_refused(self, value: Any, given: str) -> None:
        """The message names the type."""
        with pytest.raises(InvalidInput, match=f"^email is {given}; accepted is a string$"):
            as_email(value)


class TestPassword:
    """Passwords."""

    @pytest.mark.parametrize("password", ["a", " ", " a ", "a" * 1024, "пароль🔑"])
    def test_accepted_password_stays_as_it_is(self, password: str) -> None:
        """In any script; spaces count."""
        assert as_password(password) == password

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "password is missing; accepted is a string"),
            (12345678, "password is of type int; accepted is a string"),
            ("", "password has 0 characters; accepted are 1 to 1024"),
            ("s3cret" * 171, "password has 1026 characters; accepted are 1 to 1024"),
            ("s3cret\0", PASSWORD_RULE),
            ("s3cret\n", PASSWORD_RULE),
            ("s3cret\x7f", PASSWORD_RULE),
            ("s3cret\ud800", PASSWORD_RULE),
        ],
    )
    def test_refused_password(self, value: Any, message: str) -> None:
        """The message says what is wrong and shows no part of it."""
        with pytest.raises(InvalidInput) as error:
            as_password(value)
        assert str(error.value) == message


@pytest.mark.parametrize(("value", "said"), [(None, "missing"), ("s3cret", "of type str"), (7, "of type int")])
def test_shape_of_a_value(value: object, said: str) -> None:
    """Its type, and nothing of the value."""
    assert shape(value) == said


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        (1, True, True),
        (10, True, True),
        (0, False, False),
        (11, False, False),
        (1.5, False, True),
        (1.0, False, True),
        (True, False, False),
        ("1", False, False),
        (None, False, False),
        (math.nan, False, False),
        (math.inf, False, False),
        (10**400, False, False),
    ],
)
def test_numbers_from_1_to_10(value: object, whole: bool, number: bool) -> None:
    """Both bounds count; a boolean is no number, though Python says so."""
    assert (is_whole(value, 1, 10), is_number(value, 1, 10)) == (whole, number)


def test_numbers_without_an_upper_bound() -> None:
    """They are finite, and may be too large for a float."""
    assert is_whole(10**400, 1)
    assert is_number(10**400, 1)
    assert not is_number(math.inf, 1)
