"""A user's story with vault: sign up, keep TOTPs behind a token, read their codes, back them up."""

import pytest
import requests

ALICE = {"name": "Alice", "email": "alice@example.com", "password": "down the rabbit hole"}
MALLORY = {"name": "Mallory", "email": "mallory@example.com", "password": "let me in"}


class Vault:
    """A client of the API for one user."""

    def __init__(self, backend, person, days=30):
        self.api = f"{backend.url}/api"
        self.session = requests.Session()
        credentials = {"email": person["email"], "password": person["password"]}
        self.call("POST", "auth/register", **person)
        self.id = self.call("POST", "auth/login", **credentials).json()["id"]
        self.token = self.call("POST", "auth/token", userId=self.id, days=days).json()["token"]
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method, path, **body):
        return self.session.request(method, f"{self.api}/{path}", json=body or None, timeout=5)

    def keep(self, label, secret, **more):
        answer = self.call("POST", "management/totp", label=label, secret=secret, **more)
        assert answer.status_code == 200
        return answer.json()["data"]

    @property
    def codes(self):
        return {entry["label"]: entry["otp"] for entry in self.call("GET", "totp").json()}


@pytest.fixture
def alice(vault_backend):
    vault = Vault(vault_backend, ALICE)
    yield vault
    vault.session.close()


@pytest.fixture
def mallory(vault_backend):
    vault = Vault(vault_backend, MALLORY)
    yield vault
    vault.session.close()


def test_codes_are_those_of_the_phone(alice, totp_server, frozen_clock):
    phone = [totp_server.add_token(name="GitHub"), totp_server.add_token(name="Bank", digits=8, algorithm="sha256")]
    for token in phone:
        alice.keep(token.name, token.secret, digits=token.digits, algorithm=token.algorithm)
    assert alice.codes == {token.name: token.now() for token in phone}

    before = alice.codes
    frozen_clock.next_step()
    assert alice.codes == {token.name: token.now() for token in phone} != before


def test_change_and_delete(alice):
    totp = alice.keep("GitHub", "jbsw y3dp ehpk 3pxp")
    assert totp["secret"] == "JBSWY3DPEHPK3PXP"

    changed = alice.call("PATCH", "management/totp", id=totp["id"], label="GitHub (work)", sort=1).json()["data"]
    assert changed == totp | {"label": "GitHub (work)", "sort": 1}

    assert alice.call("DELETE", "management/totp", id=totp["id"]).json() == {"success": True, "data": changed}
    assert alice.codes == {}


def test_nobody_reaches_the_totps_of_another(alice, mallory):
    totp = alice.keep("GitHub", "JBSWY3DPEHPK3PXP")
    for method, body in [("PUT", {"label": "mine"}), ("PATCH", {"label": "mine"}), ("DELETE", {})]:
        answer = mallory.call(method, "management/totp", id=totp["id"], **body)
        assert answer.status_code == 404
        assert answer.json()["error"] == "TOTP not found or access denied"
    assert mallory.codes == {}
    assert list(alice.codes) == ["GitHub"]


def test_back_up_and_restore(alice, vault_backend):
    alice.keep("GitHub", "JBSWY3DPEHPK3PXP", icon="github.png")
    answer = alice.call("GET", "management/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="totps-export.json"'
    backup = answer.json()
    assert (backup["version"], backup["count"]) == ("1.0", 1)

    vault_backend.reset()
    again = Vault(vault_backend, ALICE)
    assert again.call("POST", "management/import", **backup).json()["imported"] == 1
    assert list(again.codes) == ["GitHub"]
    again.session.close()


def test_import_is_all_or_nothing(alice):
    totps = [{"label": "GitHub", "secret": "JBSWY3DPEHPK3PXP"}, {"label": "Bank"}]
    answer = alice.call("POST", "management/import", totps=totps)
    assert answer.status_code == 400
    assert answer.json()["error"] == "each TOTP must have label and secret"
    assert alice.codes == {}


def test_a_token_expires(vault_backend, frozen_clock):
    alice = Vault(vault_backend, ALICE, days=1)
    frozen_clock.tick(24 * 60 * 60 - 1)
    assert alice.call("GET", "auth/user").json()["email"] == "alice@example.com"
    frozen_clock.tick(1)
    answer = alice.call("GET", "auth/user")
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    alice.session.close()


def test_a_revoked_token_opens_nothing(alice):
    assert alice.call("POST", "auth/revoke", token=alice.token).json() == {"success": True}
    assert alice.call("GET", "management/export").status_code == 401


def test_a_token_in_the_query_string(alice):
    answer = requests.get(f"{alice.api}/auth/user", params={"token": alice.token}, timeout=5)
    assert answer.json() == {"id": alice.id, "name": "Alice", "email": "alice@example.com"}


def test_a_client_that_waits_as_long_as_it_is_told(frozen_clock, alice):
    answers = [alice.call("GET", "totp") for _ in range(121)]
    assert answers[-1].status_code == 429
    frozen_clock.tick(int(answers[-1].headers["Retry-After"]))
    assert alice.call("GET", "totp").status_code == 200
