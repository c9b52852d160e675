from dataclasses import dataclass, replace
from typing import ClassVar

from pytest_totphog.stores import Repository
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.records import put
from tests.support.threads import in_threads


@dataclass(frozen=True)
class Count:
    """A record."""

    collection: ClassVar = "count"
    id: str
    number: int = 0


def counts() -> Repository[Count]:
    """Return an empty repository."""
    return MemoryStore().repository(Count)


def one_more(old: Count | None) -> Count:
    """Return the record that comes after another one."""
    return replace(old, number=old.number + 1) if old else Count("a", 1)


def test_first_record_of_an_id_is_added() -> None:
    """It is made of None, and returned."""
    repository = counts()
    assert put(repository, "a", one_more) == Count("a", 1)
    assert repository.find() == [Count("a", 1)]


def test_later_record_takes_the_place_of_the_older_one() -> None:
    """It is made of that; other records stay as they are."""
    repository = counts()
    repository.add(Count("a", 7), Count("b", 1))
    assert put(repository, "a", one_more) == Count("a", 8)
    assert repository.find() == [Count("a", 8), Count("b", 1)]


def test_change_in_between_is_not_lost() -> None:
    """The record is made again, of what somebody else has kept meanwhile."""
    repository = counts()
    seen = []

    def slow(old: Count | None) -> Count:
        seen.append(old)
        if len(seen) == 1:
            repository.add(Count("a", 10))
        elif len(seen) == 2:
            repository.replace(Count("a", 10), Count("a", 20))
        return one_more(old)

    assert put(repository, "a", slow) == Count("a", 21)
    assert seen == [None, Count("a", 10), Count("a", 20)]
    assert repository.find() == [Count("a", 21)]


def test_sixteen_threads_count_to_sixteen() -> None:
    """Each puts one more, and each gets a number of its own."""
    repository = counts()
    made = in_threads(16, lambda _: put(repository, "a", one_more))
    assert sorted(count.number for count in made) == list(range(1, 17))
