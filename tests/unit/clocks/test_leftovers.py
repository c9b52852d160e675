"""What freezegun leaves behind: where it is found, when it is warned of, and which errors it may explain."""

import datetime as dt
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import freezegun.api
import pytest

from pytest_totphog import FrozenClock, TotphogWarning
from pytest_totphog.clocks.frozen_clock import companions_of
from pytest_totphog.clocks.leftovers import fake_type_in, suspects, warning

HALF_PAST_TEN = "2024-01-15T10:30:00Z"

# What a library may do with types and functions of the clock when it is imported.
LIBRARY = """
    import functools
    import time
    from dataclasses import dataclass
    from datetime import date, datetime
    from typing import Optional

    NAMES = {datetime: "datetime"}
    ORDER = [("of", (date, frozenset({int})))]
    clock = functools.partial(time.strftime, "%Y")
    read = datetime.now

    def default(now=time.time): return now()
    def keyword(*, kind=datetime): return kind
    def closed(kind):
        return lambda: kind
    closure = closed(datetime)

    class Stamp(datetime): pass

    class Row:
        types = {date: str}
        made = staticmethod(datetime.utcnow)
        def at(self, now=time.time_ns): return now()
        class Inner:
            kind = date

    class Settings:
        def __init__(self): self.kinds = {"at": datetime}
    settings = Settings()

    @dataclass
    class Login:
        at: Optional[datetime] = None
"""
# What does no harm: names that freezegun gives back itself, annotations of functions, and what looks things up later.
SOUND = """
    import time
    import datetime as module
    from datetime import datetime
    from datetime import date as day
    from typing import Optional

    def later(at: Optional[datetime] = None): return datetime.now()
    class Reader:
        def now(self) -> datetime: return time.time()
    at: datetime
    moment = None
    loops = {}
    loops["again"] = loops
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a package that nobody has imported yet."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from shop.tables import *\n")
    (tmp_path / "shop" / "tables.py").write_text(textwrap.dedent(LIBRARY))
    (tmp_path / "sound.py").write_text(textwrap.dedent(SOUND))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in {"shop", "shop.tables", "sound"} & sys.modules.keys():
        del sys.modules[name]


@pytest.mark.usefixtures("library")
def test_everything_that_holds_a_type_or_function_of_freezegun() -> None:
    """Each by the module that defines it; the end of the freeze warns once, and the clock knows them."""
    with pytest.warns(TotphogWarning) as warned, FrozenClock(HALF_PAST_TEN, "freezegun") as clock:
        shop = import_module("shop")

    assert sorted(companions_of(clock).leftovers) == [
        "shop.tables.Login.__annotations__",
        "shop.tables.NAMES",
        "shop.tables.ORDER",
        "shop.tables.Row.Inner.kind",
        "shop.tables.Row.at",
        "shop.tables.Row.made",
        "shop.tables.Row.types",
        "shop.tables.Stamp",
        "shop.tables.clock",
        "shop.tables.closure",
        "shop.tables.default",
        "shop.tables.keyword",
        "shop.tables.read",
        "shop.tables.settings",
    ]
    assert [str(each.message) for each in warned] == [warning(companions_of(clock).leftovers)]
    assert freezegun.api.FakeDatetime in shop.NAMES


@pytest.mark.usefixtures("library")
def test_sound_module_is_not_named() -> None:
    """Most modules are imported while time stands still somewhere, and nothing comes of it."""
    with warnings.catch_warnings(), FrozenClock(HALF_PAST_TEN, "freezegun") as clock:
        warnings.simplefilter("error")
        sound = import_module("sound")
    assert companions_of(clock).leftovers == []
    assert sound.datetime is dt.datetime


@pytest.mark.usefixtures("library")
def test_module_that_was_imported_before() -> None:
    """That is the remedy."""
    shop = import_module("shop")

    with warnings.catch_warnings(), FrozenClock(HALF_PAST_TEN, "freezegun") as clock:
        warnings.simplefilter("error")
        assert shop.clock() == "2026"
    assert companions_of(clock).leftovers == []


@pytest.mark.usefixtures("library")
def test_time_machine_leaves_nothing() -> None:
    """It has no types."""
    with warnings.catch_warnings(), FrozenClock(HALF_PAST_TEN, "time-machine") as clock:
        warnings.simplefilter("error")
        shop = import_module("shop")

        assert shop.clock() == "2024"
    assert companions_of(clock).leftovers == []
    assert dt.datetime in shop.NAMES


@pytest.mark.usefixtures("library")
def test_inside_somebody_elses_freeze() -> None:
    """Until that has ended the types are still in use."""
    with warnings.catch_warnings(), freezegun.freeze_time("2001-01-01"):
        warnings.simplefilter("error")
        with FrozenClock(HALF_PAST_TEN) as clock:
            assert companions_of(clock).patch == "freezegun"
            shop = import_module("shop")
    assert companions_of(clock).leftovers == []
    assert shop.NAMES


@pytest.mark.usefixtures("library")
def test_warning_that_is_an_error() -> None:
    """With `-W error` the test fails whose freeze it was, and time runs again all the same."""
    clock = FrozenClock(HALF_PAST_TEN, "freezegun")
    shop = import_module("shop")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TotphogWarning):
            clock.unfreeze()
        clock.unfreeze()
    assert (clock.mode, companions_of(clock).patch) == ("live", None)
    assert time.time() > 1735689600
    assert shop.NAMES


def test_what_the_warning_says() -> None:
    """Where, and what to do; of many the first ten."""
    assert warning([f"shop.tables.T{number}" for number in range(12)]) == (
        "freezegun's types stay in shop.tables.T0, shop.tables.T1, shop.tables.T2, shop.tables.T3, shop.tables.T4, "
        "shop.tables.T5, shop.tables.T6, shop.tables.T7, shop.tables.T8, shop.tables.T9 and 2 more: these modules were "
        "first imported while it had stopped the time, and what uses them later may fail. Import them before that, for "
        "example in conftest.py, or take time-machine, which leaves nothing behind: pip install "
        "'pytest-totphog[time-machine]'"
    )


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TypeError("Type is not JSON serializable: FakeDatetime"), "FakeDatetime"),
        (ValueError("no schema for <class 'freezegun.api.FakeDate'>"), "FakeDate"),
        (AssertionError("assert <class 'freezegun.api.FakeDatetime'> is <class 'datetime.datetime'>"), "FakeDatetime"),
        (AssertionError("assert FakeDatetime(2024, 1, 15) is None"), ""),
        (TypeError("Type is not JSON serializable: datetime"), ""),
        (TypeError("NotAFakeDatetimeAtAll"), ""),
    ],
)
def test_type_in_an_error(error: Exception, name: str) -> None:
    """The word in any error; in an assertion only where types are compared."""
    assert fake_type_in(error) == name


def raised(source: str, module: str) -> BaseException:
    """Return the error of a module's code."""
    with pytest.raises(Exception) as caught:
        exec(source, {"__name__": module, "freezegun": freezegun})
    return caught.value


def test_errors_that_leftovers_may_explain() -> None:
    """Those of the packages that hold them, and whatever comes out of freezegun; no assertion for its own sake."""
    names = ["yaml.representer.TYPES", "shop.models.now"]
    assert suspects(names, raised("raise TypeError", "yaml.nodes"), "") == ["yaml.representer.TYPES"]
    assert suspects(names, raised("raise AssertionError", "yaml.nodes"), "") == []
    assert suspects(names, raised("raise TypeError", "json"), "") == []
    assert suspects(names, raised("raise TypeError", "json"), "FakeDatetime") == names
    assert suspects(names, raised("raise TypeError", "shop"), "FakeDatetime") == ["shop.models.now"]
    assert suspects(names, raised("freezegun.api.tz_offsets[-1]", "shop"), "") == ["shop.models.now"]
    assert suspects(names, raised("freezegun.api.FakeDatetime._tz_offset()", "test_shop"), "") == names
