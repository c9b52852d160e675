"""What every store promises, wherever it keeps its records."""

import time
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest

from pytest_totphog.stores import Repository, Store
from tests.support.threads import in_threads


@dataclass(frozen=True)
class Note:
    """A record."""

    collection: ClassVar = "note"
    id: str
    text: str = ""


@dataclass(frozen=True)
class Other:
    """A record of another type."""

    collection: ClassVar = "other"
    id: str


@dataclass(frozen=True)
class Everything:
    """A record with fields of every type that is kept."""

    collection: ClassVar = "everything"
    id: str
    text: str = ""
    number: int = 0
    ratio: float = 0.0
    flag: bool = False
    names: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    when: datetime = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    maybe_text: str | None = None
    maybe_number: int | None = None
    maybe_ratio: float | None = None
    maybe_flag: bool | None = None
    maybe_names: list[str] | None = None
    maybe_details: dict[str, Any] | None = None
    maybe_when: datetime | None = None


RECORD_TYPES = (Note, Other, Everything)

FULL = Everything(
    id="full",
    text='Zoë\'s \U0001f511 100% "quoted"; DROP TABLE\n',
    number=-(2**63),
    ratio=0.1 + 0.2,
    flag=True,
    names=["b", "a", "nul \0"],
    details={"b": [1, 2.5, None, True], "a": {"nested": "ü"}},
    when=datetime(2024, 1, 15, 10, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    maybe_text="",
    maybe_number=2**63 - 1,
    maybe_ratio=float("inf"),
    maybe_flag=False,
    maybe_names=[],
    maybe_details={},
    maybe_when=datetime(1, 1, 1, tzinfo=UTC),
)

FIRST, SECOND, THIRD = Note("b", "first"), Note("a", "second"), Note("0", "third")


@pytest.fixture
def notes(store: Store) -> Repository[Note]:
    """A repository with two records."""
    notes = store.repository(Note)
    notes.add(FIRST, SECOND)
    return notes


# Adding and reading


def test_new_repository_is_empty(store: Store) -> None:
    """There is nothing in it before something is added."""
    assert store.repository(Note).find() == []


def test_records_keep_their_order(notes: Repository[Note]) -> None:
    """The oldest comes first, whatever its id."""
    assert notes.add(THIRD) is True

    assert notes.find() == [FIRST, SECOND, THIRD]


def test_many_records_keep_their_order(store: Store) -> None:
    """The order in which one call brings them is the order in which they are found."""
    notes = store.repository(Note)
    many = [Note(str(number * 7919 % 1000)) for number in range(1000)]

    assert notes.add(*many) is True
    assert notes.find() == many


def test_record_is_got_by_its_id(notes: Repository[Note]) -> None:
    """An unknown id gets nothing; upper and lower case are not the same."""
    assert notes.get("a") == SECOND
    assert notes.get("A") is None
    assert notes.get("") is None


def test_taken_id_is_refused(notes: Repository[Note]) -> None:
    """The record that was there stays, and so does its place."""
    assert notes.add(Note("b", "other")) is False

    assert notes.find() == [FIRST, SECOND]


def test_equal_record_is_refused_as_well(notes: Repository[Note]) -> None:
    """An id is added once, by one caller: also where two callers bring equal records."""
    assert notes.add(Note("b", "first")) is False


@pytest.mark.parametrize("others", [(THIRD, Note("a")), (Note("a"), THIRD), (THIRD, Note("0"))])
def test_several_records_are_added_all_or_none(notes: Repository[Note], others: tuple[Note, ...]) -> None:
    """One taken id, or one that comes twice, and none of them is kept."""
    assert notes.add(*others) is False

    assert notes.find() == [FIRST, SECOND]


def test_adding_nothing_succeeds(notes: Repository[Note]) -> None:
    """An empty list of records to put back needs no special case."""
    assert notes.add() is True
    assert notes.find() == [FIRST, SECOND]


def test_values_of_every_type_come_back(store: Store) -> None:
    """What is read equals what was added, to the last bit of a float."""
    records = store.repository(Everything)
    empty = Everything("empty")
    records.add(FULL, empty)

    assert records.get("full") == FULL
    assert records.find() == [FULL, empty]


def test_values_come_back_in_their_types(store: Store) -> None:
    """True is not 1, and text that looks like a number stays text."""
    records = store.repository(Everything)
    records.add(Everything("1", text="007", number=1, ratio=2.0, flag=True))

    record = records.get("1")

    assert record is not None
    assert (record.id, record.text) == ("1", "007")
    assert [type(value) for value in (record.number, record.ratio, record.flag)] == [int, float, bool]


def test_records_are_found_by_their_fields(notes: Repository[Note]) -> None:
    """All given fields must be equal; the oldest comes first."""
    twin = Note("c", "first")
    notes.add(twin)

    assert notes.find(text="first") == [FIRST, twin]
    assert notes.find(text="first", id="c") == [twin]
    assert notes.find(text="third") == []


FIELDS = [field.name for field in fields(FULL) if field.name != "id"]


@pytest.mark.parametrize("name", FIELDS)
def test_records_are_found_by_fields_of_every_type(store: Store, name: str) -> None:
    """None is a value to look for like any other."""
    records = store.repository(Everything)
    empty = Everything("empty")
    records.add(FULL, empty)

    assert records.find(**{name: getattr(FULL, name)}) == [FULL]
    assert records.find(**{name: getattr(empty, name)}) == [empty]


@pytest.mark.parametrize("text", ["nul \0", "surrogate \ud800", "long" * 1000], ids=["nul", "surrogate", "long"])
def test_what_cannot_be_there_is_not_found(notes: Repository[Note], text: str) -> None:
    """A client may ask for any id, also for one that no database would keep."""
    assert notes.get(text) is None
    assert notes.find(text=text) == []
    assert notes.remove(text) is None
    assert notes.replace(Note("b", text), Note("b", "changed")) is False


def test_found_list_is_the_callers_own(notes: Repository[Note]) -> None:
    """One may remove while going through it, and changing it changes nothing in the repository."""
    for note in notes.find():
        notes.remove(note.id)

    notes.find().append(THIRD)
    assert notes.find() == []


# Replacing


def test_replaced_record_keeps_its_place(notes: Repository[Note]) -> None:
    """A changed record is as old as it was."""
    changed = Note("b", "changed")

    assert notes.replace(FIRST, changed) is True
    assert notes.find() == [changed, SECOND]


def test_replacing_by_the_same_succeeds(notes: Repository[Note]) -> None:
    """What was expected is there, and what was asked for as well."""
    assert notes.replace(FIRST, FIRST) is True


def test_replacing_what_has_changed_is_refused(notes: Repository[Note]) -> None:
    """Who read the record before the change must read it again."""
    changed = Note("b", "changed")
    notes.replace(FIRST, changed)

    assert notes.replace(FIRST, Note("b", "lost")) is False
    assert notes.get("b") == changed


@pytest.mark.parametrize("name", FIELDS)
def test_replacing_compares_fields_of_every_type(store: Store, name: str) -> None:
    """A record with any other value is another one; None equals None, and nothing else."""
    records = store.repository(Everything)
    other = replace(FULL, **{name: getattr(Everything("empty"), name)})
    records.add(FULL)

    assert records.replace(other, FULL) is False
    assert records.replace(FULL, other) is True
    assert records.replace(FULL, other) is False
    assert records.replace(other, FULL) is True
    assert records.find() == [FULL]


def test_replacing_compares_what_is_equal_in_python(store: Store) -> None:
    """An integer equals its float, an instant itself in another time zone, and an object has no order."""
    records = store.repository(Everything)
    noon = datetime(2024, 1, 15, 12, tzinfo=UTC)
    records.add(Everything("a", ratio=2.0, details={"x": 1, "y": 2}, when=noon))
    equal = Everything("a", ratio=2, details={"y": 2, "x": 1}, when=noon.astimezone(timezone(timedelta(hours=-3))))

    assert records.replace(equal, Everything("a", text="changed")) is True


def test_replacing_what_is_gone_is_refused(notes: Repository[Note]) -> None:
    """A removed record does not come back by being changed."""
    notes.remove("b")

    assert notes.replace(FIRST, Note("b", "changed")) is False
    assert notes.find() == [SECOND]


def test_replacing_keeps_the_id(notes: Repository[Note]) -> None:
    """A record of another id is another record."""
    assert notes.replace(FIRST, Note("c", "first")) is False
    assert notes.find() == [FIRST, SECOND]


# Removing


def test_removed_record_is_given_back(notes: Repository[Note]) -> None:
    """Who removes it gets it, and the next one nothing."""
    assert notes.remove("b") == FIRST
    assert notes.remove("b") is None
    assert notes.find() == [SECOND]


def test_removed_record_comes_back_whole(store: Store) -> None:
    """Fields of every type are as they were."""
    records = store.repository(Everything)
    records.add(FULL)

    assert records.remove("full") == FULL


def test_removed_id_is_free_again(notes: Repository[Note]) -> None:
    """A record added under it is the newest."""
    notes.remove("b")

    assert notes.add(Note("b", "again")) is True
    assert notes.find() == [SECOND, Note("b", "again")]


def test_clearing_counts_what_was_there(notes: Repository[Note]) -> None:
    """The second time there is nothing."""
    assert notes.clear() == 2
    assert notes.clear() == 0
    assert notes.find() == []


def test_clearing_by_fields_leaves_the_others(notes: Repository[Note]) -> None:
    """Records without those values stay, and keep their order."""
    notes.add(THIRD, Note("c", "second"))

    assert notes.clear(text="second") == 2
    assert notes.clear(text="second") == 0
    assert notes.clear(text="nul \0") == 0
    assert notes.find() == [FIRST, THIRD]


# Threads


def test_one_of_many_threads_adds_an_id(store: Store) -> None:
    """Sixteen threads add a record under one id at the same time: one succeeds, and its record is kept."""
    notes = store.repository(Note)

    added = in_threads(16, lambda number: notes.add(Note("a", str(number))))

    assert added.count(True) == 1
    assert notes.find() == [Note("a", str(added.index(True)))]


def test_one_of_many_threads_adds_several_ids(store: Store) -> None:
    """Sixteen threads add the same hundred records, every other one backwards: one succeeds, and none waits on."""
    notes = store.repository(Note)
    forwards = [Note(str(number)) for number in range(100)]

    added = in_threads(16, lambda number: notes.add(*(forwards if number % 2 else forwards[::-1])))

    assert added.count(True) == 1
    assert notes.find() == (forwards if added.index(True) % 2 else forwards[::-1])


def test_one_of_many_threads_removes_a_record(notes: Repository[Note]) -> None:
    """Sixteen threads remove one record at the same time: one gets it."""
    removed = in_threads(16, lambda _: notes.remove("b"))

    assert [note for note in removed if note is not None] == [FIRST]


def test_one_of_many_threads_replaces_a_record(store: Store) -> None:
    """Sixteen threads have read the same record, with floats and fields that are None: one may change it."""
    records = store.repository(Everything)
    read = Everything("a", ratio=0.1 + 0.2)
    records.add(read)

    replaced = in_threads(16, lambda number: records.replace(read, replace(read, maybe_number=number)))

    assert replaced.count(True) == 1
    assert records.find() == [replace(read, maybe_number=replaced.index(True))]


def test_no_change_between_threads_is_lost(store: Store) -> None:
    """Eight threads count to twenty in one record, reading again whenever another one was faster."""
    records = store.repository(Everything)
    records.add(Everything("count"))

    def count(_: int) -> None:
        for _ in range(20):
            changed = False
            while not changed:
                old = records.get("count")
                assert old is not None
                changed = records.replace(old, replace(old, number=old.number + 1, ratio=old.ratio + 0.5))

    in_threads(8, count)

    assert records.find() == [Everything("count", number=160, ratio=80.0)]


# The store


def test_store_knows_the_time(store: Store) -> None:
    """Real time, and it goes on."""
    before = store.time()
    assert before <= store.time()
    assert abs(before - time.time()) < 3600


def test_store_has_one_repository_for_each_type(store: Store) -> None:
    """The same one each time, and none of them shared."""
    store.repository(Note).add(FIRST)

    assert store.repository(Note).find() == [FIRST]
    assert store.repository(Note) is store.repository(Note)
    assert store.repository(Other).add(Other("b")) is True


def test_cleared_store_is_empty(store: Store) -> None:
    """All its repositories are, and they can be used on."""
    notes, others = store.repository(Note), store.repository(Other)
    notes.add(FIRST)
    others.add(Other("b"))

    store.clear()

    assert notes.find() == []
    assert others.find() == []
    assert notes.add(FIRST) is True


def test_closed_store_can_be_used_again(store: Store) -> None:
    """Who still holds a repository finds everything there."""
    notes = store.repository(Note)
    notes.add(FIRST)

    store.close()

    assert notes.find() == [FIRST]
