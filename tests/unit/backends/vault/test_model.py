"""The rules of vault: accounts, their tokens, their TOTP credentials, and the demo account."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_totphog.backends.passwords import PasswordHasher
from pytest_totphog.backends.vault.model import DEMO_EMAIL, Access, Totp, Totps, VaultAccount, VaultAccounts, seed
from pytest_totphog.clocks.clock import Clock
from pytest_totphog.errors import InvalidInput
from pytest_totphog.stores import Store
from pytest_totphog.stores.memory import MemoryStore
from pytest_totphog.stores.sql import SqlStore
from tests.support.threads import in_threads

DEMO_TOKEN = "c8eeaabf3ef14ffc811cab37ba16753f"
ALICE, BOB = "aaaaaaaa-0000-4000-8000-000000000000", "bbbbbbbb-0000-4000-8000-000000000000"
GITHUB = {"label": "GitHub", "secret": "JBSWY3DPEHPK3PXP"}


@pytest.fixture(params=["memory", "SQLite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Where everything lives."""
    store: Store = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path}/vault.db")
    yield store
    store.close()


@pytest.fixture
def accounts(store: Store, clock: Clock) -> VaultAccounts:
    """All accounts; there are none."""
    return VaultAccounts(store, clock, PasswordHasher())


@pytest.fixture
def totps(store: Store) -> Totps:
    """All credentials; there are none."""
    return Totps(store)


class TestAccounts:
    """Who is there, and with which password."""

    def test_password_is_kept_as_a_bcrypt_hash(self, accounts: VaultAccounts) -> None:
        """And is not in a representation, hash or not."""
        account = accounts.register("Alice", "alice@example.com", "secret")
        assert account.password_hash.startswith("$2b$04$")
        assert repr(account) == (
            f"VaultAccount(id='alice@example.com', user_id='{account.user_id}', name='Alice', "
            "email='alice@example.com')"
        )

    def test_user_id_is_random(self, accounts: VaultAccounts, store: Store) -> None:
        """Whoever knows it gets a token, so it must not follow from the address."""
        first = accounts.register("Alice", "alice@example.com", "secret")
        store.clear()
        assert accounts.register("Alice", "alice@example.com", "secret").user_id != first.user_id

    def test_address_is_one_account_in_any_case(self, accounts: VaultAccounts) -> None:
        """It is shown as it was registered."""
        account = accounts.register("Alice", "Alice@Example.com", "secret")
        assert account.email == "Alice@Example.com"
        assert accounts.register("Mallory", "ALICE@example.com", "other") is None
        assert accounts.log_in("alice@EXAMPLE.com", "secret") == account

    def test_address_registered_by_sixteen_threads_exists_once(self, accounts: VaultAccounts, store: Store) -> None:
        """One of them gets the account."""
        made = in_threads(16, lambda _: accounts.register("Alice", "alice@example.com", "secret"))
        assert [account for account in made if account is not None] == store.repository(VaultAccount).find()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"name": " "}, "name is empty; accepted is a string with a visible character"),
            ({"name": "a" * 201}, "name has 201 characters; accepted are 1 to 200"),
            ({"name": "a\0"}, r"name contains the character '\x00'; accepted is printable text"),
            (
                {"email": "alice"},
                "email is 'alice'; accepted is an address of at most 254 characters such as alice@example.com",
            ),
            ({"password": "a" * 1025}, "password has 1025 characters; accepted are 1 to 1024"),
            (
                {"password": "a\0"},
                "password contains a control character or half a surrogate pair; accepted is printable text",
            ),
        ],
    )
    def test_refused_fields(self, accounts: VaultAccounts, store: Store, change: dict[str, str], message: str) -> None:
        """The error names the field; nothing is stored."""
        with pytest.raises(InvalidInput) as error:
            accounts.register(**{"name": "Alice", "email": "alice@example.com", "password": "secret", **change})
        assert str(error.value) == message
        assert store.repository(VaultAccount).find() == []

    @pytest.mark.parametrize("password", ["a", " ", "a" * 1024, "Ж🦔"])
    def test_accepted_passwords(self, accounts: VaultAccounts, password: str) -> None:
        """Any printable text is one."""
        account = accounts.register("Alice", "alice@example.com", password)
        assert accounts.log_in("alice@example.com", password) == account

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("alice@example.com", "Secret"),
            ("alice@example.com", ""),
            ("bob@example.com", "secret"),
            ("alice", "secret"),
            ("alice\0@example.com", "secret"),
            ("\ud800@example.com", "secret"),
        ],
    )
    def test_refused_logins(self, accounts: VaultAccounts, email: str, password: str) -> None:
        """Whether the password is wrong, or the address, or no address at all."""
        accounts.register("Alice", "alice@example.com", "secret")
        assert accounts.log_in(email, password) is None

    @pytest.mark.parametrize("user_id", [ALICE, "", "\0", "alice@example.com"])
    def test_unknown_user(self, accounts: VaultAccounts, user_id: str) -> None:
        """The address is no id."""
        accounts.register("Alice", "alice@example.com", "secret")
        assert accounts.get(user_id) is None


class TestTokens:
    """What opens an account."""

    @pytest.fixture
    def alice(self, accounts: VaultAccounts) -> VaultAccount:
        """Alice's account."""
        alice = accounts.register("Alice", "alice@example.com", "secret")
        assert alice is not None
        return alice

    def test_token_opens_the_account(self, accounts: VaultAccounts, alice: VaultAccount) -> None:
        """It is random, and expires after so many days."""
        token, expires_at = accounts.issue_token(alice, 30)
        other, _ = accounts.issue_token(alice, 30)
        assert token != other
        assert expires_at == 1_707_906_600_000  # 2024-02-14T10:30:00Z
        assert accounts.user_of(token) == alice.user_id

    def test_token_itself_is_not_kept(self, accounts: VaultAccounts, alice: VaultAccount, store: Store) -> None:
        """Whoever reads the database can use none."""
        token, expires_at = accounts.issue_token(alice, 1)
        hashed = hashlib.sha256(token.encode()).hexdigest()
        assert store.repository(Access).find() == [Access(hashed, alice.user_id, expires_at)]

    @pytest.mark.parametrize("days", [1, 3650])
    def test_token_expires_on_the_clock(
        self, accounts: VaultAccounts, alice: VaultAccount, clock: Clock, days: int
    ) -> None:
        """A millisecond before it is good, and then it is not."""
        token, _ = accounts.issue_token(alice, days)
        clock.tick(days * 86_400 - 0.001)
        assert accounts.user_of(token) == alice.user_id
        clock.tick(0.001)
        assert accounts.user_of(token) is None

    @pytest.mark.parametrize("days", [0, -1, 3651, 10**400, 1.0, "30", True, None])
    def test_refused_days(self, accounts: VaultAccounts, alice: VaultAccount, store: Store, days: Any) -> None:
        """Whole days from 1 to ten years."""
        with pytest.raises(InvalidInput, match=r"^days is .+; accepted are whole days from 1 to 3650$"):
            accounts.issue_token(alice, days)
        assert store.repository(Access).find() == []

    def test_revoked_token_opens_nothing(self, accounts: VaultAccounts, alice: VaultAccount) -> None:
        """Other tokens of the account do."""
        (first, _), (second, _) = accounts.issue_token(alice, 1), accounts.issue_token(alice, 1)
        accounts.revoke_token(first)
        assert accounts.user_of(first) is None
        assert accounts.user_of(second) == alice.user_id

    @pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "a" * 100_000, DEMO_TOKEN])
    def test_unknown_token_opens_nothing(self, accounts: VaultAccounts, alice: VaultAccount, token: str) -> None:
        """Revoking it does nothing."""
        accounts.revoke_token(token)
        assert accounts.user_of(token) is None


class TestTotps:
    """What an account holds."""

    def test_least_that_is_given(self, totps: Totps) -> None:
        """The rest is what authenticator apps assume."""
        [totp] = totps.add(ALICE, [GITHUB])
        assert totp == Totp(
            id=totp.id,
            user_id=ALICE,
            label="GitHub",
            secret="JBSWY3DPEHPK3PXP",
            digits=6,
            period=30,
            algorithm="sha1",
            icon=None,
            metadata={},
            sort=0,
        )
        assert totps.all(ALICE) == [totp]

    def test_secret_is_not_in_a_representation(self, totps: Totps) -> None:
        """Logs and assertion diffs do not show it."""
        [totp] = totps.add(ALICE, [GITHUB])
        assert "JBSWY3DPEHPK3PXP" not in repr(totp)

    def test_spellings_become_one(self, totps: Totps) -> None:
        """Base32 as pages print it, and the usual names of algorithms."""
        [totp] = totps.add(ALICE, [GITHUB | {"secret": "jbsw y3dp-ehpk 3pxp==", "algorithm": "HmacSHA512"}])
        assert (totp.secret, totp.algorithm) == ("JBSWY3DPEHPK3PXP", "sha512")

    def test_order_is_by_sort_and_then_by_age(self, totps: Totps) -> None:
        """The least comes first."""
        for label, sort in [("c", 0), ("d", 1), ("a", -1), ("b", -1)]:
            totps.add(ALICE, [GITHUB | {"label": label, "sort": sort}])
        assert [totp.label for totp in totps.all(ALICE)] == ["a", "b", "c", "d"]

    @pytest.mark.parametrize(
        ("algorithm", "digits", "period", "code", "expires"),
        [
            ("SHA-1", 6, 30, "648307", 1_705_314_630_000),
            ("SHA-1", 8, 30, "95648307", 1_705_314_630_000),
            ("SHA-512", 6, 30, "369798", 1_705_314_630_000),
            ("SHA-1", 6, 3600, "413228", 1_705_316_400_000),
        ],
    )
    def test_code_and_end_of_its_step(
        self, totps: Totps, clock: Clock, algorithm: str, digits: int, period: int, code: str, expires: int
    ) -> None:
        """By the credential's own algorithm, digits and period; the codes are oathtool's."""
        [totp] = totps.add(ALICE, [GITHUB | {"algorithm": algorithm, "digits": digits, "period": period}])
        assert totp.code_at(clock.time_ns()) == (code, expires)

    @pytest.mark.parametrize(
        ("field", "accepted"),
        [
            ("label", ["a", "a" * 200, "Zoë: 🦔"]),
            ("secret", ["AA", "A" * 1024]),
            ("digits", [6, 7, 8]),
            ("period", [1, 86_400]),
            ("icon", [None, "a", "a" * 2000]),
            ("metadata", [{}, {"a": [1, 1.5, True, None, "\0"]}, {"a": "b" * 9991}]),
            ("sort", [-(2**31), 2**31 - 1]),
        ],
    )
    def test_accepted_fields(self, totps: Totps, field: str, accepted: list[Any]) -> None:
        """The bounds belong to it, and what is accepted is kept as it is."""
        for value in accepted:
            [totp] = totps.add(ALICE, [GITHUB | {field: value}])
            assert getattr(totp, field) == value
            assert totps.remove(ALICE, totp.id) == totp

    @pytest.mark.parametrize(
        ("field", "refused", "message"),
        [
            ("label", ["", " "], "label is empty; accepted is a string with a visible character"),
            ("label", ["a" * 201], "label has 201 characters; accepted are 1 to 200"),
            ("label", ["\0", "\ud800"], "label contains the character {value!a}; accepted is printable text"),
            ("label", [None], "label is missing; accepted is a string"),
            ("secret", [1], "secret is of type int; accepted is a base32 string"),
            ("secret", ["A" * 1025], "secret has 1025 characters; accepted are 1024 at most"),
            ("secret", [""], "the secret is empty; accepted is base32 such as 'JBSWY3DPEHPK3PXP'"),
            ("digits", [5, 9, 10], "digits is {value}; accepted are 6, 7 and 8"),
            ("period", [0, 86_401, 1.5], "period is {value}; accepted are whole seconds from 1 to 86400"),
            ("algorithm", [1], "algorithm is 1; accepted are sha1, sha256 and sha512"),
            ("icon", [""], "icon is empty; accepted is a string with a visible character"),
            ("icon", ["a" * 2001], "icon has 2001 characters; accepted are 1 to 2000"),
            ("icon", [1], "icon is of type int; accepted is a string"),
            ("sort", [2**31, -(2**31) - 1, 1.5, True], "sort is {value}; accepted are whole numbers of 32 bits"),
        ],
    )
    def test_refused_fields(self, totps: Totps, field: str, refused: list[Any], message: str) -> None:
        """The error says what is accepted; nothing is added, also when the others are all right."""
        for value in refused:
            with pytest.raises(InvalidInput) as error:
                totps.add(ALICE, [GITHUB, GITHUB | {field: value}])
            assert str(error.value) == message.format(value=value)
        assert totps.all(ALICE) == []

    @pytest.mark.parametrize(
        "metadata",
        [None, [], "a", {"a": "b" * 9992}, {"a": float("inf")}, {"a": [float("nan")]}],
        ids=["null", "list", "text", "long", "infinity", "NaN"],
    )
    def test_refused_metadata(self, totps: Totps, metadata: Any) -> None:
        """What is no object, is too long, or is no JSON; the error does not repeat it."""
        with pytest.raises(InvalidInput) as error:
            totps.add(ALICE, [GITHUB | {"metadata": metadata}])
        assert str(error.value) == (
            "metadata is not what is accepted: a JSON object of at most 10000 characters, 20 levels deep, "
            "without numbers that are too large"
        )
        assert totps.all(ALICE) == []

    @pytest.mark.parametrize(("levels", "accepted"), [(20, True), (21, False), (900, False)])
    def test_metadata_are_twenty_levels_deep_at_most(self, totps: Totps, levels: int, accepted: bool) -> None:
        """Deeper ones could not be served."""
        metadata: dict[str, Any] = {}
        for _ in range(levels - 1):
            metadata = {"a": metadata}
        if accepted:
            [totp] = totps.add(ALICE, [GITHUB | {"metadata": metadata}])
            assert totps.all(ALICE) == [totp]
        else:
            with pytest.raises(InvalidInput, match=r"^metadata is not what is accepted"):
                totps.add(ALICE, [GITHUB | {"metadata": metadata}])

    def test_update_changes_what_is_given(self, totps: Totps) -> None:
        """And leaves the rest."""
        [totp] = totps.add(ALICE, [GITHUB | {"sort": 3}])
        changed = totps.update(ALICE, totp.id, {"label": "GitLab", "secret": "krsx g5dt"})
        assert (changed.label, changed.secret, changed.sort) == ("GitLab", "KRSXG5DT", 3)
        assert totps.all(ALICE) == [changed]

    def test_refused_update_changes_nothing(self, totps: Totps) -> None:
        """Not the fields that are all right either."""
        [totp] = totps.add(ALICE, [GITHUB])
        with pytest.raises(InvalidInput):
            totps.update(ALICE, totp.id, {"label": "GitLab", "digits": 5})
        assert totps.all(ALICE) == [totp]

    def test_updates_at_once_lose_nothing(self, totps: Totps) -> None:
        """Each thread changes a field of its own, and all changes are there in the end."""
        [totp] = totps.add(ALICE, [GITHUB])
        changes: Iterator[dict[str, Any]] = iter(
            [{"digits": 8}, {"period": 60}, {"algorithm": "SHA-256"}, {"icon": "a"}, {"sort": 1}, {"label": "b"}]
        )
        in_threads(6, lambda _: totps.update(ALICE, totp.id, next(changes)))
        [left] = totps.all(ALICE)
        assert (left.digits, left.period, left.algorithm, left.icon, left.sort, left.label) == (
            8,
            60,
            "sha256",
            "a",
            1,
            "b",
        )

    def test_of_sixteen_removals_one_gets_it(self, totps: Totps) -> None:
        """The others find nothing."""
        [totp] = totps.add(ALICE, [GITHUB])
        removed = in_threads(16, lambda _: totps.remove(ALICE, totp.id))
        assert [one for one in removed if one is not None] == [totp]
        assert totps.all(ALICE) == []

    def test_nobody_reaches_those_of_another(self, totps: Totps) -> None:
        """By no id, and in no list."""
        [totp] = totps.add(ALICE, [GITHUB])
        assert totps.all(BOB) == []
        assert totps.update(BOB, totp.id, {"label": "mine"}) is None
        assert totps.remove(BOB, totp.id) is None
        assert totps.all(ALICE) == [totp]

    @pytest.mark.parametrize("id", ["", "\0", "\ud800", "cccccccc-0000-4000-8000-000000000000"])
    def test_unknown_id(self, totps: Totps, id: str) -> None:
        """Whatever it looks like."""
        assert totps.update(ALICE, id, {"label": "a"}) is None
        assert totps.remove(ALICE, id) is None


class TestSeed:
    """The demo account."""

    def test_first_run_creates_user_token_and_totp(self, store: Store, clock: Clock, accounts: VaultAccounts) -> None:
        """With the address, the password and the token of the document."""
        seed(store, clock)
        account = accounts.log_in("demo@email.com", "pass123")
        assert (account.name, account.email, account.email) == ("Admin", "demo@email.com", DEMO_EMAIL)
        assert accounts.user_of(DEMO_TOKEN) == account.user_id
        [totp] = Totps(store).all(account.user_id)
        assert (totp.label, totp.secret) == ("Demo TOTP", "JBSWY3DPEHPK3PXP")

    def test_subsequent_run_doubles_nothing(self, store: Store, clock: Clock, accounts: VaultAccounts) -> None:
        """The user keeps the id, and the TOTP too."""
        seed(store, clock)
        account = accounts.log_in("demo@email.com", "pass123")
        before = Totps(store).all(account.user_id)
        seed(store, clock)
        assert [each.user_id for each in store.repository(VaultAccount).find()] == [account.user_id]
        assert len(store.repository(Access).find()) == 1
        assert Totps(store).all(account.user_id) == before

    def test_subsequent_run_updates_user_and_totp(self, store: Store, clock: Clock, accounts: VaultAccounts) -> None:
        """The user is known by the address and the TOTP by its secret."""
        accounts.register("Somebody", "Demo@Email.com", "other")
        account = accounts.log_in("demo@email.com", "other")
        [totp] = Totps(store).add(account.user_id, [GITHUB | {"label": "changed", "digits": 8}])
        seed(store, clock)
        assert accounts.log_in("demo@email.com", "other") is None
        assert accounts.log_in("demo@email.com", "pass123").user_id == account.user_id
        [updated] = Totps(store).all(account.user_id)
        assert (updated.id, updated.label, updated.digits) == (totp.id, "Demo TOTP", 6)

    def test_token_is_good_for_ten_years_from_the_latest_run(
        self, store: Store, clock: Clock, accounts: VaultAccounts
    ) -> None:
        """3,650 days, to the millisecond."""
        seed(store, clock)
        clock.tick(3649 * 86_400)
        seed(store, clock)
        clock.tick(3650 * 86_400 - 0.001)
        assert accounts.user_of(DEMO_TOKEN) is not None
        clock.tick(0.001)
        assert accounts.user_of(DEMO_TOKEN) is None

    def test_other_accounts_are_left_alone(
        self, store: Store, clock: Clock, accounts: VaultAccounts, totps: Totps
    ) -> None:
        """Also their credentials of the same secret."""
        alice = accounts.register("Alice", "alice@example.com", "secret")
        mine = totps.add(alice.user_id, [GITHUB])
        seed(store, clock)
        assert accounts.log_in("alice@example.com", "secret") == alice
        assert totps.all(alice.user_id) == mine

    def test_runs_at_once_double_nothing(
        self, store: Store, clock: Clock, accounts: VaultAccounts, totps: Totps
    ) -> None:
        """As of two machines that start with one database."""
        in_threads(8, lambda _: seed(store, clock))
        [account] = store.repository(VaultAccount).find()
        assert accounts.user_of(DEMO_TOKEN) == account.user_id
        assert len(store.repository(Access).find()) == 1
        assert len(totps.all(account.user_id)) == 1
