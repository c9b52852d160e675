"""The web page in a real browser: what a developer sees and does while a test stands at a breakpoint."""

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver.common.keys import Keys

from pytest_totphog import FrozenClock, TotpServer
from pytest_totphog.authenticator.totp_token import issuer_of
from pytest_totphog.credentials import qr
from pytest_totphog.enrolment.pictures import reader
from pytest_totphog.wsgi import api_docs
from tests.integration.page import Page, browser, complaints
from tests.support.system import require

pytestmark = pytest.mark.slow

SECRET = "JBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/GitHub:alice?secret={SECRET}&issuer=GitHub"
MARKUP = "<img src=x onerror=document.title='hacked'>"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Page]:
    """One browser for all tests."""
    with browser() as page:
        yield page


@pytest.fixture
def server() -> Iterator[TotpServer]:
    """A server whose clock stands at 2024-01-15T10:30:00Z."""
    clock = FrozenClock("2024-01-15T10:30:00Z", None)
    with TotpServer(clock=clock) as server:
        yield server


@pytest.fixture
def page(chromium: Page, server: TotpServer) -> Iterator[Page]:
    """The page of that server; whatever a test does, no script fails and no policy is violated."""
    chromium.open(f"{server.url}/")
    complaints(chromium)
    yield chromium
    assert complaints(chromium) == []


# What is shown


def test_page_without_tokens_says_what_to_do(page: Page) -> None:
    """How they get there, and a button that does it."""
    assert page.text("#empty h3") == "No tokens yet"
    page.click("#add-first")
    assert page.text("#add-dialog h2") == "Add a token"


def test_tokens_are_shown_with_their_codes(page: Page, server: TotpServer) -> None:
    """The code in groups, until when it is valid, and the next one."""
    server.add_token(name="alice", issuer="GitHub", secret=SECRET)
    server.add_token(name="bob", issuer="", secret=SECRET, digits=8, period=60, algorithm="sha256")
    page.look_again()

    assert page.texts(".card .issuer") == ["GitHub", "bob"]
    code = server.tokens[1].now()
    assert page.codes == ["648 307", f"{code[:4]} {code[4:]}"]
    assert page.texts(".card .next")[0] == "next 764 426"
    assert page.texts(".card .until") == ["until 10:30:30", "until 10:31:00"]
    assert page.texts(".card .shape") == ["6 digits · 30 s", "SHA-256 · 60 s"]
    assert page.text("#tokens") == "Tokens 2"


def test_markup_in_names_is_text(page: Page, server: TotpServer) -> None:
    """In cards, dialogs, messages and the timeline."""
    token = server.add_token(name=MARKUP, issuer="<b>Bank</b>", secret=SECRET)
    issuer_of(token).claim(holder=MARKUP)
    page.look_again()

    assert page.names == [MARKUP]
    assert page.texts(".card .issuer") == ["<b>Bank</b>"]
    assert page.text("#timeline code") == MARKUP
    page.click(".card .qr")
    page.until(lambda: page.text("#qr-title") == f"<b>Bank</b> {MARKUP}")
    page.click("#qr-dialog .close")
    page.click(".card .delete")
    page.until(lambda: page.toast == f"Deleted <b>Bank</b> {MARKUP}")
    assert page.driver.title == "TOTPHog"
    assert page.script("return document.querySelectorAll('img[src=x], b:not(.half b)').length") == 0


def test_search(page: Page, server: TotpServer) -> None:
    """All words must be in the service and the account, in whichever case; `/` goes there, Escape leaves it."""
    for issuer, name in [("GitHub", "alice"), ("GitHub", "bob"), ("AWS", "alice")]:
        server.add_token(name=name, issuer=issuer)
    page.look_again()

    page.fill("body", "/")
    page.driver.switch_to.active_element.send_keys("ALICE git")
    assert (page.names, page.text("#tokens")) == (["alice"], "Tokens 1 of 3")
    page.fill("#search", "x")
    assert page.text("#none-found") == "No token matches “ALICE gitx”."
    page.fill("#search", Keys.ESCAPE)
    assert len(page.names) == 3


def test_code_is_copied(page: Page, server: TotpServer) -> None:
    """Its digits without the space."""
    permission = {"name": "clipboard-read"}, {"name": "clipboard-write"}
    for each in permission:
        page.driver.execute_cdp_cmd("Browser.setPermission", {"permission": each, "setting": "granted"})
    server.add_token(name="alice", issuer="GitHub", secret=SECRET)
    page.look_again()

    page.click(".card .code")
    page.until(lambda: page.toast == "Copied the code of GitHub alice")
    assert page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == "648307"


def test_qr_code_is_shown(page: Page, server: TotpServer) -> None:
    """In a dialog, with the secret only when it is asked for; nothing of it stays in the page after."""
    server.add_token(name="alice", issuer="GitHub", secret=SECRET)
    page.look_again()

    page.click(".card .qr")
    page.until(lambda: page.script("return document.querySelector('#qr-picture').naturalWidth") > 100)
    assert page.one("#qr-picture").accessible_name == "QR code of GitHub alice"
    assert not page.one("#qr-secret").is_displayed()
    page.click("#qr-dialog summary")
    assert page.text("#qr-secret") == "JBSW Y3DP EHPK 3PXP"
    page.fill("body", Keys.ESCAPE)
    page.until(lambda: not page.one("#qr-dialog").is_displayed())
    page.until(lambda: "JBSW" not in page.driver.page_source)


def test_timeline(page: Page, server: TotpServer) -> None:
    """What was handed out, to whom, and what `verify` said, the latest first."""
    token = server.add_token(name="alice", issuer="GitHub", secret=SECRET)
    issuer_of(token).claim(holder="gw1 test_login")
    page.look_again()
    token.verify("648307")
    token.verify("000000")
    page.look_again()

    kinds = [re.split(r" (?:of|a code of) ", text)[0] for text in page.texts("#timeline li")]
    assert kinds == ["Refused", "Accepted", "One-time code"]
    assert page.texts("#timeline li")[-1] == (
        "One-time code of GitHub alice to gw1 test_login\n10:30:00 · step 56843820"
    )


# What is done


def test_token_is_added_by_hand(page: Page, server: TotpServer) -> None:
    """What is not said is as usual: 6 digits, 30 seconds, SHA-1."""
    page.click("#add")
    page.fill("#name", "alice")
    page.fill("#secret", "jbsw y3dp ehpk 3pxp")
    page.click("#hand-form .primary")

    page.until(lambda: page.codes == ["648 307"])
    [token] = server.tokens
    assert (token.name, token.secret, token.digits, token.period, token.algorithm) == ("alice", SECRET, 6, 30, "sha1")
    assert not page.one("#add-dialog").is_displayed()


def test_random_secret(page: Page, server: TotpServer) -> None:
    """Of 160 bits."""
    page.click("#add")
    page.fill("#name", "alice")
    page.click("#random")
    page.click("#hand-form .primary")

    page.until(lambda: page.names)
    assert re.fullmatch("[A-Z2-7]{32}", server.tokens[0].secret)


def test_refused_token_stays_in_the_form(page: Page, server: TotpServer) -> None:
    """With the server's sentence below it."""
    page.click("#add")
    page.fill("#name", "alice")
    page.fill("#secret", "not base32!")
    page.click("#hand-form .primary")

    page.until(lambda: page.text("#add-error").startswith("the secret is not base32: character 10 is '!'"))
    assert page.one("#name").get_attribute("value") == "alice"
    assert server.tokens == []


def test_token_is_added_by_its_uri(page: Page, server: TotpServer) -> None:
    """Typed into the dialog."""
    page.click("#add")
    page.fill("#uri", URI + Keys.ENTER)

    page.until(lambda: page.codes == ["648 307"])
    assert page.toast == "Added GitHub alice"
    assert page.one("#uri").get_attribute("value") == ""
    assert server.tokens[0].issuer == "GitHub"


def test_uri_is_pasted_anywhere(page: Page) -> None:
    """Nothing need be opened before."""
    page.paste(URI)

    assert page.until(lambda: page.codes == ["648 307"])


def test_refused_uri_is_shown_for_mending(page: Page, server: TotpServer) -> None:
    """The dialog opens with the server's sentence."""
    page.paste("otpauth://hotp/a?secret=AA&counter=1")

    page.until(lambda: "hotp" in page.text("#add-error"))
    assert page.one("#uri").get_attribute("value") == "otpauth://hotp/a?secret=AA&counter=1"
    assert server.tokens == []


@pytest.mark.parametrize("how", ["dropped", "pasted", "chosen as a file"])
def test_token_is_added_by_its_qr_code(page: Page, server: TotpServer, tmp_path: Path, how: str) -> None:
    """A picture of it adds the account, whichever way it comes onto the page."""
    picture = qr.png(URI, 5)
    if how == "dropped":
        page.drop("body", "qr.png", "image/png", picture)
    elif how == "pasted":
        page.paste_picture("image.png", "image/png", picture)
    else:
        (tmp_path / "qr.png").write_bytes(picture)
        page.click("#add")
        page.fill("#picture", str(tmp_path / "qr.png"))

    page.until(lambda: page.codes == ["648 307"])
    assert page.toast == "Added GitHub alice"
    assert server.tokens[0].secret == SECRET


def test_large_photograph_is_made_smaller(page: Page, server: TotpServer, tmp_path: Path) -> None:
    """As telephones take them: more bytes and more pixels than the server accepts."""
    photograph = Image.effect_noise((4800, 4000), 60)
    code = Image.open(BytesIO(qr.png(URI, 40)))
    photograph.paste(code, (400, 400))
    photograph.save(tmp_path / "photograph.png")
    assert photograph.width * photograph.height > reader.MAX_PIXELS
    page.click("#add")
    page.fill("#picture", str(tmp_path / "photograph.png"))

    page.until(lambda: page.codes == ["648 307"])
    assert server.tokens[0].secret == SECRET


def test_picture_without_a_qr_code_is_refused(page: Page, server: TotpServer) -> None:
    """With the server's sentence, in the dialog; here it is no picture."""
    page.drop("body", "qr.png", "image/png", b"no picture at all")

    page.until(lambda: page.text("#add-error").startswith("this is not a picture"))
    assert server.tokens == []


def test_deleted_token_comes_back(page: Page, server: TotpServer) -> None:
    """By the button, with everything but its id."""
    for name in ("alice", "bob"):
        server.add_token(name=name, issuer="GitHub", secret=SECRET, digits=8, period=60, algorithm="sha512")
    page.look_again()

    page.click(".card .delete")
    page.until(lambda: page.names == ["bob"])
    assert page.driver.switch_to.active_element.accessible_name == "Delete GitHub bob"
    page.click(".toast button")
    page.until(lambda: page.names == ["bob", "alice"])
    back = server.tokens[1]
    assert (back.secret, back.digits, back.period, back.algorithm) == (SECRET, 8, 60, "sha512")


def test_all_tokens_are_deleted_and_come_back(page: Page, server: TotpServer) -> None:
    """In their order, by Ctrl+Z."""
    for name in ("alice", "bob", "carol"):
        server.add_token(name=name)
    page.look_again()

    page.click("#delete-all")
    page.until(lambda: page.toast == "Deleted 3 tokens")
    page.until(lambda: server.tokens == [] and page.one("#empty").is_displayed())
    page.fill("body", Keys.CONTROL + "z")
    page.until(lambda: page.names == ["alice", "bob", "carol"])
    assert [token.name for token in server.tokens] == ["alice", "bob", "carol"]


def test_clock_is_moved_and_released(page: Page, server: TotpServer) -> None:
    """By seconds, to the next step, and back to the system's time."""
    server.add_token(name="alice", secret=SECRET)
    page.look_again()
    assert page.text("#clock-mode") == "Frozen"
    assert page.text("#clock-now") == "10:30:00\nMon, 15 January 2024 · UTC"

    page.click("#tick")
    page.until(lambda: server.clock.time() == 1705314601)
    page.click("#next-step")
    page.until(lambda: page.codes == ["764 426"])
    assert server.clock.now().isoformat() == "2024-01-15T10:30:30+00:00"
    page.click("#release")
    page.until(lambda: page.text("#clock-mode") == "Live")
    assert server.clock.mode == "live"
    page.click("#freeze")
    page.until(lambda: page.text("#clock-mode") == "Frozen")
    assert server.clock.mode == "frozen"


def test_clock_is_frozen_at_a_time(page: Page, server: TotpServer) -> None:
    """Which is one of UTC, whatever the browser's time zone."""
    page.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kolkata"})
    page.click("#freeze-elsewhen summary")
    assert page.one("#freeze-at").get_attribute("value") == "2024-01-15T10:30"
    page.script("document.querySelector('#freeze-at').value = '2038-01-19T03:14:08'")
    page.click("#freeze-form button")

    page.until(lambda: server.clock.now().isoformat() == "2038-01-19T03:14:08+00:00")
    page.until(lambda: page.text("#clock-now").startswith("03:14:08\n"))


# Over time


def test_codes_change_with_the_step(page: Page, server: TotpServer) -> None:
    """By itself, on a live clock."""
    token = server.add_token(name="alice", period=2)
    server.clock.unfreeze()
    page.look_again()
    seen = {page.codes[0]}

    page.until(lambda: len(seen | {page.codes[0]}) > 1)
    assert page.until(lambda: page.codes == [f"{token.now()[:3]} {token.now()[3:]}"])


def test_page_asks_at_the_end_of_a_step_and_not_between(page: Page, server: TotpServer) -> None:
    """Once in each of three steps of four seconds."""
    server.add_token(name="alice", period=4)
    server.clock.unfreeze()
    page.look_again()
    asked = page.driver.execute_async_script(
        "const done = arguments[0], asked = [];"
        "new PerformanceObserver((list) => {"
        "  for (const entry of list.getEntries()) if (entry.name.includes('/codes'))"
        "    asked.push(Math.floor((performance.timeOrigin + entry.startTime) / 4000));"
        "  if (asked.length === 3) done(asked);"
        "}).observe({type: 'resource'});"
    )
    assert asked == [asked[0], asked[0] + 1, asked[0] + 2]


def test_ring_shows_where_in_its_step_the_clock_is(page: Page, server: TotpServer) -> None:
    """A frozen clock's stands still."""
    server.add_token(name="alice")
    server.clock.tick(15)
    page.look_again()
    places = "return document.getAnimations().map((ring) => [ring.playState, Math.round(ring.currentTime)])"
    page.until(lambda: page.script(places) == [["paused", 15_000], ["paused", 15_000]])

    server.clock.unfreeze()
    page.look_again()
    page.until(lambda: {state for state, _ in page.script(places)} == {"running"})
    elapsed, expected = page.script(
        "const now = performance.timeOrigin + document.timeline.currentTime;"
        "return [document.getAnimations()[0].currentTime / 1000 % 30, now / 1000 % 30]"
    )
    assert abs((elapsed - expected + 15) % 30 - 15) < 0.5


def test_five_hundred_tokens_change_only_where_they_are_new(page: Page, server: TotpServer) -> None:
    """An answer that says the same changes nothing, a new step three texts of each card; rings turn where one looks."""
    for number in range(500):
        server.add_token(name=f"user{number}")
    page.look_again()
    page.until(lambda: page.script("return document.querySelectorAll('.card').length") == 500)
    page.script(
        "window.changed = [];"
        "const noted = ({ type, target }) => `${type} of ${target.className}`;"
        "new MutationObserver((list) => changed.push(...list.map(noted)))"
        "  .observe(document.querySelector('#cards'),"
        "    {attributes: true, characterData: true, childList: true, subtree: true});"
    )

    page.look_again()
    assert page.script("return changed") == []

    server.clock.next_step()
    page.look_again()
    changed = Counter(page.script("return changed"))
    assert changed == {"childList of digits": 500, "childList of until": 500, "childList of next": 500}
    assert 0 < page.script("return document.getAnimations().length") < 200


def test_page_survives_the_servers_restart(page: Page, server: TotpServer) -> None:
    """It says that the server is gone, tries again, and goes on with what is there then."""
    issuer_of(server.add_token(name="alice", secret=SECRET)).claim(holder="before")
    page.look_again()
    port = server.port
    server.stop()
    page.script("dispatchEvent(new Event('focus'))")
    page.until(lambda: page.one("#offline").is_displayed())
    assert page.text("#offline strong") == "Server not reachable."
    assert page.one("#offline").get_attribute("role") == "alert"

    with TotpServer(port=port, clock=server.clock) as other:
        issuer_of(other.add_token(name="bob", secret=SECRET)).claim(holder="after")
        page.until(lambda: page.names == ["bob"])
        assert not page.one("#offline").is_displayed()
        assert page.toast == "The server is back."
        assert page.texts("#timeline code") == ["after", "before"]


def test_hidden_page_asks_nothing(page: Page, server: TotpServer) -> None:
    """Until it is looked at again."""
    server.add_token(name="alice", period=1)
    server.clock.unfreeze()
    page.look_again()
    page.script(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});"
        "window.away = true; document.dispatchEvent(new Event('visibilitychange')); performance.clearResourceTimings();"
    )
    asked = "return performance.getEntriesByType('resource').filter((each) => each.name.includes('/codes')).length"
    hidden_at = server.clock.time()
    page.until(lambda: server.clock.time() > hidden_at + 3)
    assert page.script(asked) <= 1  # what was under way

    page.script("window.away = false; document.dispatchEvent(new Event('visibilitychange'));")
    page.until(lambda: page.script(asked) > 2)


# A server with a key, and one for many


def test_page_asks_for_the_key(chromium: Page) -> None:
    """And keeps it for this tab; a wrong one is told."""
    with TotpServer(api_key="k3y") as server:
        server.add_token(name="alice")
        chromium.driver.get(f"{server.url}/")
        chromium.until(lambda: chromium.one("#key-dialog").is_displayed())
        chromium.fill("#key", "wrong" + Keys.ENTER)
        chromium.until(lambda: chromium.text("#key-error") == "The server refused this key.")
        chromium.fill("#key", "k3y" + Keys.ENTER)
        chromium.until(lambda: chromium.names == ["alice"])
        chromium.open(f"{server.url}/")
        chromium.until(lambda: chromium.names == ["alice"])
        assert "k3y" not in chromium.driver.current_url


def test_page_of_a_namespace(chromium: Page, server: TotpServer) -> None:
    """Shows its tokens only, and its name."""
    server.add_token(name="alice")
    chromium.open(f"{server.url}/namespaces/nightly-7/")
    assert chromium.text("#namespace") == "nightly-7"
    chromium.paste(URI)
    chromium.until(lambda: chromium.codes != [])
    assert [token.name for token in server.tokens] == ["alice"]


def test_swagger_ui_asks_where_it_is(chromium: Page, server: TotpServer) -> None:
    """In a namespace, its API; under the same policy, which Swagger UI keeps."""
    pytest.importorskip("swagger_ui_bundle")
    complaints(chromium)
    chromium.driver.get(f"{server.url}/namespaces/nightly-7/docs#/Codes/listCodes")
    for button in (".try-out__btn", ".execute"):
        # In one go: Swagger UI scrolls to the operation meanwhile, and draws it anew.
        click = "const found = document.querySelector(arguments[0]); found?.click(); return found !== null"
        chromium.until(lambda button=button, click=click: chromium.script(click, button))
    chromium.until(lambda: chromium.texts(".request-url"))
    assert f"{server.url}/namespaces/nightly-7/api/v1/codes" in chromium.text(".request-url")
    assert complaints(chromium) == []


# Everybody


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from npm."""
    npm = require("npm")
    folder = tmp_path_factory.mktemp("axe")
    installed = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, "axe-core@4"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "npm_config_cache": str(folder / "cache")},
    )
    source = Path(folder, "node_modules", "axe-core", "axe.min.js")
    if not source.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"axe-core cannot be installed: {installed.stderr[-300:]}", pytrace=False)
        pytest.skip("axe-core cannot be installed: there is no npm registry to be reached")
    return source.read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["empty", "live", "frozen", "add", "qr", "offline", "docs"])
def test_accessibility(
    page: Page, server: TotpServer, axe: str, monkeypatch: pytest.MonkeyPatch, scheme: str, state: str
) -> None:
    """axe-core finds nothing: names, roles, contrast (AA), landmarks."""
    page.emulate(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    if state != "empty":
        server.add_token(name="alice", issuer="GitHub", secret=SECRET).verify("000000")
        issuer_of(server.add_token(name="bob", issuer="AWS")).claim(holder="test_login")
        page.look_again()
        page.click(".card .delete")
        page.until(lambda: page.names == ["bob"])
    if state == "live":
        page.click("#release")
        page.until(lambda: page.text("#clock-mode") == "Live")
    elif state == "add":
        page.click("#add")
        page.fill("#name", "x")
        page.fill("#secret", "!")
        page.click("#hand-form .primary")
        page.until(lambda: page.text("#add-error"))
    elif state == "qr":
        page.click(".card .qr")
        page.until(lambda: page.one("#qr-dialog").is_displayed())
        page.click("#qr-dialog summary")
    elif state == "offline":
        server.stop()
        page.script("dispatchEvent(new Event('focus'))")
        page.until(lambda: page.one("#offline").is_displayed())
    elif state == "docs":
        monkeypatch.setattr(api_docs, "_has_swagger", lambda: False)
        page.driver.get(f"{server.url}/docs")
    page.script(axe)
    found = page.driver.execute_async_script(
        "const done = arguments[0]; axe.run().then((results) => done(JSON.stringify(results.violations.map((each) =>"
        "  [each.id, each.nodes.map((node) => [node.html, node.failureSummary])]))), (error) => done(String(error)))"
    )
    page.emulate()
    assert json.loads(found) == []


def test_everything_is_reached_by_the_keyboard(page: Page, server: TotpServer) -> None:
    """In the order it is read, each with a name."""
    server.add_token(name="alice", issuer="GitHub", secret=SECRET)
    server.clock.unfreeze()
    page.look_again()
    reached = []
    for _ in range(11):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(page.driver.switch_to.active_element.accessible_name)
    code = server.tokens[0].now()
    assert reached == [
        "Skip to the tokens",
        "API",
        "Search tokens",
        "Delete all",
        "Add token",
        f"Copy the code of GitHub alice: {code[:3]} {code[3:]}",
        "Copy the code of GitHub alice",
        "Show the QR code of GitHub alice",
        "Delete GitHub alice",
        "Freeze now",
        "Freeze at another time",
    ]


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_is_cut_off(page: Page, server: TotpServer, width: int) -> None:
    """On a screen of any width, with the longest names there may be: no scrolling sideways."""
    issuer_of(server.add_token(name="a" * 300, issuer="b" * 300, digits=8)).claim(holder="c" * 300)
    page.look_again()
    page.resize(width, 800)
    wide = page.script("return [document.documentElement.scrollWidth, innerWidth]")
    page.resize(1280, 900)
    assert wide[0] <= wide[1]


def test_reduced_motion(page: Page, server: TotpServer) -> None:
    """The ring goes in six steps instead of turning, and nothing else moves."""
    page.emulate(prefers_reduced_motion="reduce")
    server.add_token(name="alice")
    page.look_again()
    page.until(lambda: page.script("return document.getAnimations().length") == 2)
    easing = page.script(
        "return document.getAnimations().map((ring) => ring.effect.getKeyframes().map((k) => k.easing))"
    )
    page.emulate()
    assert easing == [["steps(3)", "linear", "linear"], ["linear", "steps(3)", "linear"]]
