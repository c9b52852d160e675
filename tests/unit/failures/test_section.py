"""What the report of a failed test shows."""

import pytest

from pytest_totphog.failures.failure import AppClock, ClockState, UsedToken
from pytest_totphog.failures.section import facts, section
from tests.unit.failures.failing import ALICE, SECONDS, code, failure

FROZEN = ClockState(SECONDS + 10, True, "freezegun")


def test_section() -> None:
    """The most likely cause first, and below it what is known, in lines of 80 characters."""
    told = failure(code(), code(2, after=4, same_as=1), apps=(AppClock("http://127.0.0.1:5000", 0),))

    assert section(told).splitlines() == [
        "Most likely cause: now() gave the same code twice, within one time step. An app",
        "that accepts each code once refuses the second: take one_time_code().",
        "",
        "token  'alice' of 'Shop', fingerprint 1c4fa388",
        "codes  2 taken by this test:",
        "    1  now() at 10:30:00Z, step 56843820, valid 20 s more",
        "    2  now() at 10:30:04Z, step 56843820, the same as 1",
        "clock  live",
        "app    http://127.0.0.1:5000 has the same time",
    ]


def test_second_cause() -> None:
    """A paragraph of its own."""
    told = failure(code(), code(2, same_as=1), apps=(AppClock("http://127.0.0.1:5000", -41),))
    assert [text.partition(":")[0] for text in section(told).split("\n\n")][:2] == ["Most likely cause", "Or"]


def test_nothing_odd() -> None:
    """Facts, and no cause."""
    assert section(failure()) == facts(failure())
    assert facts(failure()).splitlines() == [
        "token  'alice' of 'Shop', fingerprint 1c4fa388",
        "codes  none taken by this test",
        "clock  live",
    ]


def test_life_of_codes() -> None:
    """How old they are, or how long they live, when the test fails."""
    told = failure(
        code(1, "expired_code()", step=-2, code="755224"),
        code(2, "one_time_code()", holder="node login.js"),
        code(3, "future_code()", step=2),
        code(4, "wrong_code()", step=None, code="911184"),
        code(5, given_before="to gw1 test_admin.py::test_admin"),
    )

    assert facts(told).splitlines()[2:-1] == [
        "    1  expired_code() at 10:30:00Z, code 755224, step 56843818, expired 40 s ago",
        "    2  one_time_code() at 10:30:00Z, step 56843820, valid 20 s more, for node",
        "       login.js",
        "    3  future_code() at 10:30:00Z, step 56843822, begins in 50 s",
        "    4  wrong_code() at 10:30:00Z, code 911184",
        "    5  now() at 10:30:00Z, step 56843820, valid 20 s more, given before to gw1",
        "       test_admin.py::test_admin",
    ]


def test_many_codes() -> None:
    """The last of them, and how many there were."""
    told = failure(code(11), code(12, step=1), code_count=12)
    assert "codes  12 taken by this test, the last 2:" in facts(told)


@pytest.mark.parametrize(("bits", "said"), [(40, ", secret of 40 bits"), (72, ", secret of 72 bits"), (80, "")])
def test_short_secret(bits: int, said: str) -> None:
    """One that is shorter than any service's is most likely cut off, or a word that was taken for it."""
    token = UsedToken("bob", "", "27ac0ff2", 6, 30, "sha1", bits)
    assert facts(failure(tokens=(token,))).splitlines()[0] == f"token  'bob', fingerprint 27ac0ff2{said}"


def test_several_tokens() -> None:
    """Each code says whose it is, and unusual parameters are told: not every app follows them."""
    told = failure(code(), tokens=(ALICE, UsedToken("bob", "", "27ac0ff2", 8, 60, "sha256")))

    assert facts(told).splitlines()[:4] == [
        "token  'alice' of 'Shop', fingerprint 1c4fa388",
        "token  'bob', fingerprint 27ac0ff2, 8 digits, 60 s, sha256",
        "codes  1 taken by this test:",
        "    1  now() of 'alice' at 10:30:00Z, step 56843820, valid 20 s more",
    ]


def test_frozen_clock() -> None:
    """Where it stood, what stood with it, and how it was moved."""
    assert facts(failure(clock=FROZEN)).splitlines()[-1] == "clock  frozen at 2024-01-15T10:30:10Z, patch='freezegun'"

    moved = ClockState(SECONDS, True, None, (3600.0, -60.5), 2, True)
    assert facts(failure(clock=moved)).splitlines()[-2:] == [
        "clock  frozen at 2024-01-15T10:30:00Z, patch=None; moved on by 3600 s, back by",
        "       60 s",
    ]

    often = ClockState(SECONDS, True, None, (30.0,) * 12, 70)
    assert "moved 70 times, at last on by 30 s, on by 30 s, on by 30 s, on by 30 s, on by 30 s" in " ".join(
        facts(failure(clock=often)).split()
    )


def test_apps() -> None:
    """What their clocks show."""
    apps = (
        AppClock("http://127.0.0.1:1", 0),
        AppClock("http://127.0.0.1:2", -41),
        AppClock("http://127.0.0.1:3", 90_000_000, real=True),
    )
    assert facts(failure(apps=apps)).splitlines()[-3:] == [
        "app    http://127.0.0.1:1 has the same time",
        "app    http://127.0.0.1:2 is 41 s behind this machine",
        "app    http://127.0.0.1:3 runs at real time",
    ]
    assert "app    http://127.0.0.1:2 is 41 s ahead of the frozen clock" in facts(
        failure(clock=FROZEN, apps=(AppClock("http://127.0.0.1:2", 41),))
    )


def test_shared_server() -> None:
    """What was taken there over HTTP is not known here."""
    assert facts(failure(server="http://totphog:8045")).splitlines()[-1] == (
        "server http://totphog:8045; what others took there, its page shows"
    )


def test_clock_alone() -> None:
    """A test that took no token only froze time."""
    assert facts(failure(clock=FROZEN, tokens=())) == "clock  frozen at 2024-01-15T10:30:10Z, patch='freezegun'"
