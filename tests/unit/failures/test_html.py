"""A failure in HTML."""

from pytest_totphog.failures.failure import UsedToken
from pytest_totphog.failures.html import extra, markup
from tests.unit.failures.failing import code, failure


def test_cause_stands_above_the_facts() -> None:
    """As a paragraph, and the facts as they are."""
    text = markup(failure(code(), code(2, same_as=1)))
    assert text.startswith('<p class="problem"><strong>Most likely cause:</strong> now() gave the same code twice')
    assert "<pre>token  &#x27;alice&#x27; of" in text
    assert text.endswith("</pre>")


def test_markup_in_names_is_text() -> None:
    """A test or a token may be called anything."""
    assert "<script>" not in markup(failure(tokens=(UsedToken("<script>", "", "1c4fa388", 6, 30, "sha1"),)))


def test_extra_of_pytest_html() -> None:
    """As that plugin's own function makes it."""
    assert extra(failure()) == {
        "name": None,
        "format_type": "html",
        "content": markup(failure()),
        "mime_type": None,
        "extension": None,
    }
