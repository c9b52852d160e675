"""The facts of a failed test, as they travel from a worker of pytest-xdist to the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pytest_totphog.authenticator.codes import CodeOrigin

__all__ = ["AppClock", "ClockState", "Failure", "UsedCode", "UsedToken"]


@dataclass(frozen=True)
class UsedToken:
    """A token of the test; never its secret.

    Attributes:
        fingerprint: the first 8 digits of what identifies the credential.
        bits: length of the secret.
    """

    name: str
    issuer: str
    fingerprint: str
    digits: int
    period: int
    algorithm: str
    bits: int = 160


@dataclass(frozen=True)
class UsedCode:
    """A code that the test took. All times are seconds since the epoch on the clock that the codes follow.

    Attributes:
        number: the first code of the test is 1.
        token: the place of its token in `Failure.tokens`.
        by: what gave it.
        step: its time step; None for a code of no step, and then so are `begins_at` and `ends_at`.
        code: the digits; None while an app may still accept them.
        taken_at: when it was taken.
        begins_at: when its step begins.
        ends_at: when its step ends.
        holder: for whom it was taken, where that was said.
        same_as: the number of the test's code that was of the same step.
        given_before: to whom else the step's code was given before, and by what; empty where that is not known.
        moved_from: where a frozen clock stood that had to be moved past steps which others had taken; else None.
        spent_by: who had taken the last of them.
    """

    number: int
    token: int
    by: CodeOrigin
    step: int | None
    code: str | None
    taken_at: float
    begins_at: int | None = None
    ends_at: int | None = None
    holder: str | None = None
    same_as: int | None = None
    given_before: str = ""
    moved_from: float | None = None
    spent_by: str = ""


@dataclass(frozen=True)
class ClockState:
    """The clock that the codes follow, as the test left it.

    Attributes:
        time: seconds since the epoch.
        frozen: whether it stood still.
        patch: what else stood still.
        moves: by how many seconds it was moved, the latest last; not all where there are many.
        move_count: how often it was moved.
        moved_back: whether one of the moves was back.
        overruled_by: what else stopped the process's time, or moved it; empty unless something did.
    """

    time: float
    frozen: bool = False
    patch: str | None = None
    moves: tuple[float, ...] = ()
    move_count: int = 0
    moved_back: bool = False
    overruled_by: str = ""


@dataclass(frozen=True)
class AppClock:
    """The clock of an app under test, by the Date of its answer.

    Attributes:
        url: scheme, host and port.
        ahead: how many seconds it is ahead of the clock that the codes follow, negative where it is behind;
            0 where both agree as exactly as a Date can tell.
        real: whether it shows the real time while the codes' clock stands still elsewhere.
        local: whether the app runs on this machine.
    """

    url: str
    ahead: int
    real: bool = False
    local: bool = True


@dataclass(frozen=True)
class Failure:
    """A failed test.

    Attributes:
        test: its node id.
        when: the phase that failed: `"setup"`, `"call"` or `"teardown"`.
        clock: the clock that the codes follow.
        tokens: the tokens it used.
        code_count: how many codes it took.
        codes: the latest of them.
        apps: the clocks of the apps under test that answered.
        server: the URL of the shared server; empty without one.
        leftovers: what still holds freezegun's types, where the error came out of these modules or is about such types.
        fake_type: freezegun's type that the error is about; empty where it is about none.
        explained: whether the test failed with an error of this package, which says its cause itself.
    """

    test: str
    when: str
    clock: ClockState
    tokens: tuple[UsedToken, ...] = ()
    code_count: int = 0
    codes: tuple[UsedCode, ...] = ()
    apps: tuple[AppClock, ...] = ()
    server: str = ""
    leftovers: tuple[str, ...] = ()
    fake_type: str = ""
    explained: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the failure as JSON writes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Failure:
        """Return the failure that `as_dict` has written."""
        parts = {
            "clock": ClockState(**{**data["clock"], "moves": tuple(data["clock"]["moves"])}),
            "tokens": tuple(UsedToken(**each) for each in data["tokens"]),
            "codes": tuple(UsedCode(**{**each, "by": CodeOrigin(each["by"])}) for each in data["codes"]),
            "apps": tuple(AppClock(**each) for each in data["apps"]),
            "leftovers": tuple(data["leftovers"]),
        }
        return cls(**{**data, **parts})
