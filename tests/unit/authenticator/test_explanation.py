"""The explanation: what a string that somebody typed as a code is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pytest_totphog.authenticator.explanation import Explanation, explain
from pytest_totphog.clocks.instants import NANOSECONDS
from pytest_totphog.credentials.token import Token
from pytest_totphog.stores.ledger import MemoryLedger

# 2024-01-15T10:30:07Z, seven seconds into a step.
SECONDS = 1_705_314_607
STEP = 56_843_820


def token(**changes: Any) -> Token:
    """Return a usual token with some parameters changed."""
    usual: dict[str, Any] = {"created_at": datetime.now(UTC), "name": "alice", "secret": "JBSWY3DPEHPK3PXP"}
    return Token.create(**usual | changes)


ALICE = token()
BOB = token(name="bob", secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")


def explained(code: str, *others: Token, ledger: MemoryLedger | None = None, seconds: float = SECONDS) -> Explanation:
    """Return what a code is to Alice."""
    return explain(code, ALICE, [ALICE, *others], ledger or MemoryLedger(), round(seconds * NANOSECONDS))


@pytest.mark.parametrize(
    ("code", "sentence", "verdict", "steps"),
    [
        ("648307", "current: the code of step 56843820, 23 s left", "current", 0),
        ("286522", "1 step old: the code of step 56843819, which ended 7 s ago", "old", -1),
        ("764426", "1 step ahead: the code of step 56843821, which begins in 23 s", "ahead", 1),
        ("812434", "2 steps ahead: the code of step 56843822, which begins in 53 s", "ahead", 2),
        (
            ALICE.code_at_step(STEP - 120),
            "120 steps old: the code of step 56843700, which ended 3577 s ago",
            "old",
            -120,
        ),
        (
            ALICE.code_at_step(STEP + 120),
            "120 steps ahead: the code of step 56843940, which begins in 3593 s",
            "ahead",
            120,
        ),
        (
            ALICE.code_at_step(STEP - 121),
            "unknown: no code of 'alice' within 120 steps, nor a current one of another token",
            "unknown",
            None,
        ),
        ("000000", "unknown: no code of 'alice' within 120 steps, nor a current one of another token", "unknown", None),
    ],
)
def test_code_of_the_token(code: str, sentence: str, verdict: str, steps: int | None) -> None:
    """A sentence for people, a verdict and a number of steps for programs."""
    explanation = explained(code)

    assert explanation == sentence
    assert (explanation.verdict, explanation.steps) == (verdict, steps)


@pytest.mark.parametrize(
    ("code", "length"),
    [
        ("", 0),
        ("12345", 5),
        ("1234567", 7),
        ("64830a", 6),
        ("648 307", 7),
        (" 48307", 6),
        ("-48307", 6),
        ("６４８３０７", 6),  # noqa: RUF001 - full-width on purpose
        ("٦٤٨٣٠٧", 6),
        ("64830\u00b2", 6),
        ("\ud800" * 6, 6),
    ],
)
def test_what_is_no_code_is_malformed(code: str, length: int) -> None:
    """Only ASCII digits of the token's length are a code; what was typed is not repeated."""
    explanation = explained(code)

    assert explanation == f"malformed: it has {length} characters; a code of 'alice' is 6 ASCII digits"
    assert (explanation.verdict, explanation.steps) == ("malformed", None)


def test_code_that_was_handed_out_before() -> None:
    """The answer to a refused login: another test has had it."""
    ledger = MemoryLedger()
    ledger.claim(ALICE.fingerprint, STEP, STEP, holder="gw1 test_login", claimed_at=SECONDS - 5)

    assert explained("648307", ledger=ledger) == (
        "current: the code of step 56843820, 23 s left; handed out 5 s ago to gw1 test_login"
    )
    assert explained("764426", ledger=ledger) == "1 step ahead: the code of step 56843821, which begins in 23 s"


def test_old_code_that_was_handed_out_at_another_time() -> None:
    """A frozen clock may stand before the time of the claim, which the sentence says."""
    ledger = MemoryLedger()
    ledger.claim(ALICE.fingerprint, STEP - 1, STEP - 1, holder="test_login", claimed_at=SECONDS + 60)

    assert explained("286522", ledger=ledger) == (
        "1 step old: the code of step 56843819, which ended 7 s ago; handed out at a clock 60 s ahead to test_login"
    )


@pytest.mark.parametrize(
    ("steps", "when"),
    [(0, "the current code"), (-1, "the code 1 step away"), (1, "the code 1 step away")],
)
def test_code_of_another_token(steps: int, when: str) -> None:
    """The wrong account's code, with the name and the id to find it by."""
    explanation = explained(BOB.code_at_step(STEP + steps), BOB)

    assert explanation == f"another token's: {when} of 'bob' (id {BOB.id})"
    assert (explanation.verdict, explanation.steps) == ("other token", None)


def test_every_other_token_is_looked_at() -> None:
    """Until one is found whose code it is."""
    carol = token(name="carol", secret="MZXW6YTBOI")

    assert explained(BOB.code_at_step(STEP), carol, BOB).startswith("another token's: the current code of 'bob'")
    assert explained("000000", carol, BOB).verdict == "unknown"


def test_another_token_has_steps_of_its_own() -> None:
    """Its period counts, not the asked token's."""
    slow = token(name="carol", secret=BOB.secret, period=60)

    assert (
        explained(slow.code_at_step(STEP // 2), slow) == f"another token's: the current code of 'carol' (id {slow.id})"
    )


def test_token_of_the_same_credential_is_no_other_token() -> None:
    """A second token of one account changes nothing about an unknown code."""
    twin = token(name="alice again")

    assert explained("000000", twin).verdict == "unknown"


def test_token_with_longer_codes_is_not_confused() -> None:
    """Six digits are no code of a token with eight."""
    long = token(name="bob", secret=BOB.secret, digits=8)

    assert explained(long.code_at_step(STEP)[2:], long).verdict == "unknown"


def test_nearest_step_is_told() -> None:
    """By chance a code repeats: what counts then is where a verifier would find it first."""
    # Found by search: the current code of this secret is the one of two steps ago as well.
    chance = token(secret="ACXUE")
    assert chance.code_at_step(STEP) == chance.code_at_step(STEP - 2) == "203200"

    explanation = explain("203200", chance, [], MemoryLedger(), SECONDS * NANOSECONDS)

    assert explanation.verdict == "current"


def test_first_step_of_the_epoch() -> None:
    """There are no steps before it."""
    assert explained(ALICE.code_at_step(0), seconds=0.5).verdict == "current"
    assert explained(ALICE.code_at_step(1), seconds=29.999).verdict == "ahead"
    assert explained("000000", seconds=0).verdict == "unknown"


def test_last_moment_of_a_step() -> None:
    """A begun second counts whole, as in `remaining_seconds`."""
    assert explained("648307", seconds=SECONDS + 22.9) == "current: the code of step 56843820, 1 s left"
    assert explained("648307", seconds=SECONDS + 23) == "1 step old: the code of step 56843820, which ended 0 s ago"
