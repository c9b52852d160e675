"""The rules of login-demo: accounts, second factors, backup codes, and who of many at once gets through."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from pytest_totphog.backends.login_demo.model import DemoAccount, DemoAccounts, Enrolment, Login, SecondFactor
from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.verifier import Verifier, VerifierPolicy
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.stores.memory import MemoryRepository, MemoryStore
from tests.support.threads import in_threads

PASSWORD = "correct horse"
Result = TypeVar("Result")


def make(store: MemoryStore, clock: Clock, **policy: Any) -> DemoAccounts:
    """Return the accounts in a store."""
    verifier = Verifier(store, clock, VerifierPolicy(**{"max_failures": None, **policy}))
    return DemoAccounts(store, clock, verifier, PasswordHasher(), PasswordHasher())


def at_once(action: Callable[[int], Result]) -> list[Result]:
    """Return what 16 threads got that started together."""
    return in_threads(16, action)


@pytest.fixture
def accounts(store: MemoryStore, clock: Clock) -> DemoAccounts:
    """The accounts, never locked."""
    return make(store, clock)


@pytest.fixture
def ada(accounts: DemoAccounts) -> DemoAccount:
    """An account without a second factor."""
    account = accounts.register("ada@example.com", PASSWORD)
    assert account is not None
    return account


@pytest.fixture
def enrolment(accounts: DemoAccounts, clock: Clock, ada: DemoAccount) -> Enrolment:
    """The account's second factor, in force and with a fresh code."""
    enrolment = accounts.set_up(ada)
    assert accounts.verify(ada, code_of(enrolment, clock))
    clock.next_step()
    return enrolment


def code_of(enrolment: Enrolment, clock: Clock) -> str:
    """Return what the phone shows."""
    return enrolment.token.code_at_step(enrolment.token.step_at(clock.time_ns()))


# DemoAccounts


def test_account_keeps_the_address_as_registered(accounts: DemoAccounts) -> None:
    """The case of an address is shown as its owner wrote it."""
    assert accounts.register("Ada@Example.com", PASSWORD).email == "Ada@Example.com"


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@example.com", "Ada@Example.Com"])
def test_address_has_one_account_in_any_case(accounts: DemoAccounts, ada: DemoAccount, email: str) -> None:
    """A second registration changes nothing, the password least of all."""
    assert accounts.register(email, "another password") is None
    assert accounts.all == [ada]
    assert accounts.log_in(email, PASSWORD, None) == Login(ada)


def test_registered_by_16_threads_at_once_an_address_has_one_account(accounts: DemoAccounts) -> None:
    """And the password of the thread that was first."""
    registered = at_once(lambda number: accounts.register("ada@example.com", f"password {number}"))

    [first] = [number for number, account in enumerate(registered) if account is not None]
    assert accounts.all == [registered[first]]
    opens = [accounts.log_in("ada@example.com", f"password {number}", None).account is not None for number in range(16)]
    assert opens == [number == first for number in range(16)]


def test_nothing_kept_tells_a_password_secret_or_code(
    store: MemoryStore, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Passwords and backup codes are kept as bcrypt hashes, and no record shows what it holds in a log."""
    [account], [factor] = store.repository(DemoAccount).find(), store.repository(SecondFactor).find()

    assert account.password_hash.startswith("$2b$04$")
    assert [hashed[:7] for hashed in factor.backup_codes] == ["$2b$04$"] * 8
    assert factor.secret == enrolment.token.secret
    assert repr(account) == f"DemoAccount(id='{ada.id}', email='ada@example.com')"
    assert repr(factor) == f"SecondFactor(id='{ada.id}')"
    assert enrolment.token.secret not in repr(enrolment)
    assert enrolment.backup_codes[0] not in repr(enrolment)


# Logging in


def test_password_is_all_without_a_second_factor(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """A code is not asked for, and one that is sent all the same is not looked at."""
    assert accounts.log_in("ada@example.com", PASSWORD, None) == Login(ada)
    assert accounts.log_in("ada@example.com", PASSWORD, "000000") == Login(ada)


def test_address_may_be_in_any_case(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """It names the same account."""
    assert accounts.log_in("ADA@EXAMPLE.COM", PASSWORD, None) == Login(ada)


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong"), ("ada@example.com", PASSWORD.upper()), ("bob@example.com", PASSWORD)],
)
@pytest.mark.usefixtures("enrolment")
def test_wrong_password_and_unknown_address_are_refused_alike(
    accounts: DemoAccounts, email: str, password: str
) -> None:
    """Nobody learns of an account, or of its second factor, without the password."""
    assert accounts.log_in(email, password, None) == Login()
    assert accounts.log_in(email, password, "123456") == Login()


def test_password_is_read_to_its_end(accounts: DemoAccounts) -> None:
    """Bcrypt itself stops after 72 bytes."""
    accounts.register("bob@example.com", "x" * 72 + "a")

    assert accounts.log_in("bob@example.com", "x" * 72 + "b", None) == Login()
    assert accounts.log_in("bob@example.com", "x" * 72 + "a", None).account is not None


@pytest.mark.usefixtures("enrolment")
def test_code_is_demanded(accounts: DemoAccounts) -> None:
    """Once the password is right."""
    assert accounts.log_in("ada@example.com", PASSWORD, None) == Login(code_required=True)


def test_code_opens_once(accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment) -> None:
    """A code that was read over the user's shoulder is good for nothing (RFC 6238 section 5.2)."""
    code = code_of(enrolment, clock)

    assert accounts.log_in("ada@example.com", PASSWORD, code) == Login(ada)
    assert accounts.log_in("ada@example.com", PASSWORD, code) == Login()
    clock.next_step()
    assert accounts.log_in("ada@example.com", PASSWORD, code) == Login()


def test_code_that_put_the_secret_in_force_is_spent(accounts: DemoAccounts, clock: Clock, ada: DemoAccount) -> None:
    """The enrolment counts as a use."""
    enrolment = accounts.set_up(ada)
    code = code_of(enrolment, clock)
    accounts.verify(ada, code)

    assert accounts.log_in("ada@example.com", PASSWORD, code) == Login()


def test_code_opens_for_one_of_16_threads(accounts: DemoAccounts, clock: Clock, enrolment: Enrolment) -> None:
    """Of many logins with one code exactly one succeeds."""
    code = code_of(enrolment, clock)

    logins = at_once(lambda _: accounts.log_in("ada@example.com", PASSWORD, code))
    assert [login.account is not None for login in logins].count(True) == 1


# Setting up


def test_new_secret_is_not_in_force_until_it_is_verified(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """Somebody who closes the page too early is not locked out."""
    accounts.set_up(ada)

    assert not accounts.second_factor(ada).enabled
    assert accounts.log_in("ada@example.com", PASSWORD, None) == Login(ada)


def test_setting_up_anew_leaves_what_is_in_force_alone(
    accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Its codes and backup codes go on to open; those of the new secret do not yet."""
    newer = accounts.set_up(ada)

    for right in (code_of(enrolment, clock), enrolment.backup_codes[0]):
        assert accounts.log_in("ada@example.com", PASSWORD, right) == Login(ada)
    for early in (code_of(newer, clock), newer.backup_codes[0]):
        assert accounts.log_in("ada@example.com", PASSWORD, early) == Login()


def test_verified_anew_the_old_secret_is_gone(
    accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """With its backup codes; the new ones open."""
    newer = accounts.set_up(ada)
    assert accounts.verify(ada, code_of(newer, clock))
    clock.next_step()

    for old in (code_of(enrolment, clock), enrolment.backup_codes[0]):
        assert accounts.log_in("ada@example.com", PASSWORD, old) == Login()
    for new in (code_of(newer, clock), newer.backup_codes[0]):
        assert accounts.log_in("ada@example.com", PASSWORD, new) == Login(ada)


def test_code_of_the_old_secret_does_not_verify_the_new_one(
    accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Only the new one's code shows that the phone has it."""
    accounts.set_up(ada)

    assert not accounts.verify(ada, code_of(enrolment, clock))
    assert accounts.second_factor(ada).secret == enrolment.token.secret


def test_only_the_latest_of_two_set_ups_can_be_verified(accounts: DemoAccounts, clock: Clock, ada: DemoAccount) -> None:
    """The first picture is worth nothing once a second one is shown."""
    first, second = accounts.set_up(ada), accounts.set_up(ada)

    assert not accounts.verify(ada, code_of(first, clock))
    assert accounts.verify(ada, code_of(second, clock))


def test_16_set_ups_at_once_leave_one_that_can_be_verified(
    accounts: DemoAccounts, clock: Clock, ada: DemoAccount
) -> None:
    """Secret and backup codes belong together, whoever was last."""
    enrolments = at_once(lambda _: accounts.set_up(ada))

    [last] = [enrolment for enrolment in enrolments if accounts.verify(ada, code_of(enrolment, clock))]
    assert accounts.log_in("ada@example.com", PASSWORD, last.backup_codes[0]) == Login(ada)


def test_right_code_without_a_new_secret_is_right(
    accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """It changes nothing but that it is spent."""
    code = code_of(enrolment, clock)
    before = accounts.second_factor(ada)

    assert accounts.verify(ada, code)
    assert accounts.second_factor(ada) == before
    assert not accounts.verify(ada, code)


def test_without_a_secret_no_code_is_right(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """It is not counted either, as there was nothing to be wrong about."""
    assert not accounts.verify(ada, "123456")
    assert accounts.failures(ada.id) == 0


class Meanwhile(Verifier):
    """A verifier that takes its time: something else happens before it has judged a code."""

    happens: Callable[[], object]

    def verify(self, *arguments: Any) -> Any:
        """Judge a code, and let it happen."""
        verdict = super().verify(*arguments)
        self.happens()
        return verdict


@pytest.mark.parametrize("event", ["disable", "set_up"])
def test_secret_that_is_no_longer_wanted_is_not_put_in_force(
    store: MemoryStore, clock: Clock, ada: DemoAccount, event: str
) -> None:
    """Disabled or set up anew while a code is judged, its second factor stays out of force."""
    verifier = Meanwhile(store, clock, VerifierPolicy())
    accounts = DemoAccounts(store, clock, verifier, PasswordHasher(), PasswordHasher())
    enrolment = accounts.set_up(ada)
    verifier.happens = lambda: getattr(accounts, event)(ada)

    assert not accounts.verify(ada, code_of(enrolment, clock))
    assert not accounts.second_factor(ada).enabled


def test_secret_is_put_in_force_whatever_else_is_changed(
    store: MemoryStore, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """A backup code of the old secret that is used up in between does not stop the new one."""
    verifier = Meanwhile(store, clock, VerifierPolicy())
    accounts = DemoAccounts(store, clock, verifier, PasswordHasher(), PasswordHasher())
    newer = accounts.set_up(ada)
    verifier.happens = lambda: accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[0])

    assert accounts.verify(ada, code_of(newer, clock))
    assert accounts.second_factor(ada).secret == newer.token.secret


# Backup codes


def test_backup_codes_are_eight_and_differ(enrolment: Enrolment) -> None:
    """Eight characters each, none of which is taken for another."""
    assert len(set(enrolment.backup_codes)) == 8
    assert {len(code) for code in enrolment.backup_codes} == {8}
    assert set("".join(enrolment.backup_codes)) <= set("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")


def test_every_backup_code_opens_once(accounts: DemoAccounts, ada: DemoAccount, enrolment: Enrolment) -> None:
    """In any order, and never again."""
    codes = enrolment.backup_codes[::-1]

    assert [accounts.log_in("ada@example.com", PASSWORD, code) for code in codes] == [Login(ada)] * 8
    assert [accounts.log_in("ada@example.com", PASSWORD, code) for code in codes] == [Login()] * 8
    assert accounts.second_factor(ada).backup_codes == []


def test_backup_code_opens_for_one_of_16_threads(
    accounts: DemoAccounts, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Of many logins with one backup code exactly one succeeds."""
    logins = at_once(lambda _: accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[3]))

    assert [login.account is not None for login in logins].count(True) == 1
    assert len(accounts.second_factor(ada).backup_codes) == 7


def test_backup_codes_used_at_once_are_all_used_up(
    accounts: DemoAccounts, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Sixteen threads with eight codes: eight logins, and none is forgotten."""
    logins = at_once(lambda number: accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[number % 8]))

    assert [login.account is not None for login in logins].count(True) == 8
    assert accounts.second_factor(ada).backup_codes == []


@pytest.mark.parametrize("change", [str.lower, lambda code: f" {code[:7]}", lambda code: f"{code[:4]}-{code[4:]}"])
def test_backup_code_is_taken_as_printed(
    accounts: DemoAccounts, enrolment: Enrolment, change: Callable[[str], str]
) -> None:
    """Another case, blanks and dashes make it another code."""
    code = next(code for code in enrolment.backup_codes if not code.isdigit())

    assert accounts.log_in("ada@example.com", PASSWORD, change(code)) == Login()


def test_backup_code_does_not_verify_a_secret(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """It does not show that the phone has it."""
    enrolment = accounts.set_up(ada)

    assert not accounts.verify(ada, enrolment.backup_codes[0])


# Disabling


def test_disabled_the_password_is_all_again(
    accounts: DemoAccounts, store: MemoryStore, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Nothing of the second factor is left."""
    accounts.disable(ada)

    assert accounts.log_in("ada@example.com", PASSWORD, None) == Login(ada)
    assert store.repository(SecondFactor).find() == []
    assert not accounts.verify(ada, enrolment.backup_codes[0])


def test_disabling_ends_a_set_up_too(accounts: DemoAccounts, clock: Clock, ada: DemoAccount) -> None:
    """A picture shown before cannot be verified after."""
    enrolment = accounts.set_up(ada)
    accounts.disable(ada)

    assert not accounts.verify(ada, code_of(enrolment, clock))


# Failures and lockout


def test_wrong_codes_of_every_kind_are_counted(
    accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """A wrong code, a wrong backup code and a wrong verification are each one, and a right code forgives them."""
    accounts.log_in("ada@example.com", PASSWORD, "12345")
    accounts.log_in("ada@example.com", PASSWORD, "AAAAAAAA")
    accounts.verify(ada, "12345")
    assert accounts.failures(ada.id) == 3

    accounts.log_in("ada@example.com", PASSWORD, code_of(enrolment, clock))
    assert accounts.failures(ada.id) == 0


def test_backup_code_forgives_too(accounts: DemoAccounts, ada: DemoAccount, enrolment: Enrolment) -> None:
    """It is as good as a code."""
    accounts.log_in("ada@example.com", PASSWORD, "12345")
    accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[0])

    assert accounts.failures(ada.id) == 0


@pytest.mark.usefixtures("enrolment")
def test_wrong_password_is_not_counted(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """Else anybody could lock anybody out."""
    accounts.log_in("ada@example.com", "wrong", "123456")

    assert accounts.failures(ada.id) == 0


@pytest.mark.usefixtures("enrolment")
def test_missing_code_is_not_counted(accounts: DemoAccounts, ada: DemoAccount) -> None:
    """It is the first half of every login."""
    accounts.log_in("ada@example.com", PASSWORD, None)

    assert accounts.failures(ada.id) == 0


def test_locked_account_takes_no_code_until_the_lockout_is_over(
    store: MemoryStore, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Neither a code nor a backup code, at the login or to verify; the backup code is not used up by it."""
    accounts = make(store, clock, max_failures=3, lockout_seconds=900)
    for wrong in ("12345", "AAAAAAAA", "12345"):
        accounts.log_in("ada@example.com", PASSWORD, wrong)

    assert accounts.log_in("ada@example.com", PASSWORD, code_of(enrolment, clock)) == Login()
    assert accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[0]) == Login()
    assert not accounts.verify(ada, code_of(accounts.set_up(ada), clock))
    assert accounts.log_in("ada@example.com", PASSWORD, None) == Login(code_required=True)

    clock.tick(899)
    assert accounts.log_in("ada@example.com", PASSWORD, code_of(enrolment, clock)) == Login()
    clock.tick(1)
    assert accounts.log_in("ada@example.com", PASSWORD, code_of(enrolment, clock)) == Login(ada)
    assert accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[0]) == Login(ada)


def test_backup_codes_guessed_all_at_once_lock_as_those_guessed_one_by_one(
    store: MemoryStore, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Of sixteen guesses at once, five are looked at."""
    looked_at = []

    class Looking(PasswordHasher):
        def verify(self, password: str, hashed: str | None) -> bool:
            looked_at.append(password)
            return super().verify(password, hashed)

    verifier = Verifier(store, clock, VerifierPolicy(max_failures=5))
    accounts = DemoAccounts(store, clock, verifier, PasswordHasher(), Looking())
    at_once(lambda number: accounts.log_in("ada@example.com", PASSWORD, f"GUESS{number:03}"))

    assert len(set(looked_at)) == 5
    assert len(accounts.second_factor(ada).backup_codes) == len(enrolment.backup_codes) == 8


def test_failures_of_one_account_are_not_anothers(store: MemoryStore, clock: Clock, ada: DemoAccount) -> None:
    """A locked neighbour locks nobody."""
    accounts = make(store, clock, max_failures=1)
    bob = accounts.register("bob@example.com", PASSWORD)
    assert bob is not None
    accounts.set_up(bob)
    accounts.verify(bob, "12345")

    assert accounts.verify(ada, code_of(accounts.set_up(ada), clock))


class Interrupted(MemoryRepository[SecondFactor]):
    """A repository where somebody else is faster, once."""

    interruption: Callable[[], object] | None = None

    def _interrupt(self) -> None:
        interruption, self.interruption = self.interruption, None
        if interruption is not None:
            interruption()

    def add(self, *records: SecondFactor) -> bool:
        """Add, after the other one has."""
        self._interrupt()
        return super().add(*records)

    def replace(self, old: SecondFactor, new: SecondFactor) -> bool:
        """Replace, after the other one has."""
        self._interrupt()
        return super().replace(old, new)


@pytest.fixture
def repository(store: MemoryStore) -> Interrupted:
    """The repository of second factors in the store."""
    repository = Interrupted()
    store._repositories[SecondFactor] = repository
    return repository


def test_backup_code_used_between_reading_and_writing_is_not_lost(
    repository: Interrupted, accounts: DemoAccounts, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """Two codes are used by two logins that cross, and both are gone afterwards."""
    one, other = enrolment.backup_codes[:2]
    repository.interruption = lambda: accounts.log_in("ada@example.com", PASSWORD, other)

    assert accounts.log_in("ada@example.com", PASSWORD, one) == Login(ada)
    assert len(accounts.second_factor(ada).backup_codes) == 6


def test_same_backup_code_used_between_reading_and_writing_opens_once(
    repository: Interrupted, accounts: DemoAccounts, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """The login that is interrupted by its twin is refused."""
    code, twin = enrolment.backup_codes[0], []
    repository.interruption = lambda: twin.append(accounts.log_in("ada@example.com", PASSWORD, code))

    assert accounts.log_in("ada@example.com", PASSWORD, code) == Login()
    assert twin == [Login(ada)]


def test_set_up_between_reading_and_writing_is_replaced(
    repository: Interrupted, accounts: DemoAccounts, clock: Clock, ada: DemoAccount
) -> None:
    """The set-up that ends last is the one to verify."""
    between = []
    repository.interruption = lambda: between.append(accounts.set_up(ada))
    last = accounts.set_up(ada)

    assert not accounts.verify(ada, code_of(between[0], clock))
    assert accounts.verify(ada, code_of(last, clock))


def test_secret_put_in_force_between_reading_and_writing_a_backup_code(
    repository: Interrupted, accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """The new secret comes into force with all of its backup codes, and the old backup code is too late."""
    newer = accounts.set_up(ada)
    repository.interruption = lambda: accounts.verify(ada, code_of(newer, clock))

    assert accounts.log_in("ada@example.com", PASSWORD, enrolment.backup_codes[0]) == Login()
    assert accounts.second_factor(ada).secret == newer.token.secret
    assert len(accounts.second_factor(ada).backup_codes) == 8


def test_backup_code_used_between_reading_and_writing_a_secret(
    repository: Interrupted, accounts: DemoAccounts, clock: Clock, ada: DemoAccount, enrolment: Enrolment
) -> None:
    """The new secret comes into force all the same."""
    newer, opened = accounts.set_up(ada), []
    code = enrolment.backup_codes[0]
    repository.interruption = lambda: opened.append(accounts.log_in("ada@example.com", PASSWORD, code))

    assert accounts.verify(ada, code_of(newer, clock))
    assert opened == [Login(ada)]
    assert accounts.second_factor(ada).secret == newer.token.secret
