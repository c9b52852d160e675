"""Stores in processes that are forked from one another: what one has claimed, all of them have."""

import sys

import pytest

from tests.support.forks import shown

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")

LEDGER = """
from pytest_totphog.stores.ledger import MemoryLedger

ledger = MemoryLedger()

def claim(fingerprint="alice"):
    made = ledger.claim(fingerprint, 10, 10**6, holder=f"process {os.getpid()}", claimed_at=5.5)
    return made.step
"""


def test_forked_processes_share_the_ledger() -> None:
    """Four of them, one forked from another, claim at the same time: every step once, and all know who has it."""
    program = """
show(claim())
def compete():
    return [claim() for _ in range(25)]
children = [Child(compete) for _ in range(2)]
children.append(Child(lambda: compete() + Child(compete).result()))
steps = compete()
for child in children:
    steps += child.result()
show(sorted(steps) == list(range(11, 136)))
show([ledger.find("alice", step) is not None for step in (10, 11, 135)])
show(Child(lambda: [ledger.last("alice").step, claim()]).result())
show(claim())
"""
    assert shown(LEDGER + program) == [10, True, [True] * 3, [135, 136], 137]


def test_first_claim_of_a_forked_process_counts_in_its_parent() -> None:
    """Also where nothing had been claimed before, and when the child is gone."""
    program = """
show([Child(claim).result() for _ in range(2)])
show(claim())
"""
    assert shown(LEDGER + program) == [[10, 11], 12]


def test_claim_that_is_given_back_is_free_in_all_of_them() -> None:
    """Whichever of them gives it back."""
    program = """
made = ledger.claim("alice", 10, 10, holder="test", claimed_at=5.5)
show(Child(lambda: ledger.give_back(made)).result())
show([ledger.last("alice"), claim()])
"""
    assert shown(LEDGER + program) == [None, [None, 10]]


def test_process_that_is_killed_in_its_turn_holds_nobody_up() -> None:
    """A crash is why tests are run in processes of their own; half a line of its is no claim."""
    program = """
import signal
reading, writing = os.pipe()
def crash():
    with ledger._log as log:
        os.pwrite(log._file, b'{"fingerprint": "al', log._end)
        os.write(writing, b"x")
        signal.pause()
child = Child(crash)
os.read(reading, 1)
os.kill(child.id, signal.SIGKILL)
show([child.result(), claim(), claim()])
show(Child(claim).result())
"""
    assert shown(LEDGER + program) == [[None, 10, 11], 12]


def test_thread_that_claims_while_its_process_is_forked() -> None:
    """The child does not inherit a lock that nobody will open."""
    program = """
ended = threading.Event()
def go_on():
    while not ended.is_set():
        claim("bob")
thread = threading.Thread(target=go_on)
thread.start()
show([Child(claim).result() for _ in range(20)] == list(range(10, 30)))
ended.set()
thread.join()
"""
    assert shown(LEDGER + program, warnings="ignore") == [True]


def test_forked_process_without_a_share_refuses() -> None:
    """When the system has no file left there is nothing to share; two ledgers would give one code to two."""
    program = """
import resource
show(claim())
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
pipe = os.pipe()
resource.setrlimit(resource.RLIMIT_NOFILE, (max(pipe) + 3, limit[1]))
child = Child(claim)
resource.setrlimit(resource.RLIMIT_NOFILE, limit)
show(child.result())
show(claim())
show(Child(claim).result())
"""
    first, refused, second, third = shown(LEDGER + program)

    assert (first, second, third) == (10, 11, 12)
    assert refused == (
        "StoreError: this process was forked from the one that has the ledger, when the system had no file left for "
        "what they share; take codes in the parent, or give both a TotpServer of one database"
    )


def test_system_without_memfd() -> None:
    """As macOS is: the file is a temporary one, and has no name either."""
    program = """
del os.memfd_create
show([Child(claim).result(), claim()])
"""
    assert shown(LEDGER + program) == [[10, 11]]


def test_forked_process_has_connections_of_its_own(database_url: str) -> None:
    """Two that speak on one connection would get each other's answers, and the first to end would end it for both."""
    program = """
from pytest_totphog.stores.sql import SqlStore

store = SqlStore(sys.argv[1])
ledger = store.ledger

def claim():
    return ledger.claim("forked", 10, 10**6, holder="test", claimed_at=5.5).step
show(claim())
children = [Child(lambda: [claim() for _ in range(20)]) for _ in range(3)]
steps = [claim() for _ in range(20)]
for child in children:
    steps += child.result()
show(sorted(steps) == list(range(11, 91)))
show(claim())
from sqlalchemy import text
with store._database.transaction() as connection:
    connection.execute(text("DROP TABLE totphog_claims"))
store.close()
"""
    assert shown(program, database_url) == [10, True, 91]
