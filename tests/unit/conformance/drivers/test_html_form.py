"""HTML forms as a browser sends them."""

import pytest

from pytest_totphog.conformance.drivers.html_form import HtmlForm, html_forms


@pytest.mark.parametrize(
    ("controls", "sent"),
    [
        ('<input type="hidden" name="csrf" value="a&amp;b">', {"csrf": "a&b"}),
        ("<input name=code>", {"code": ""}),
        ('<input type="CHECKBOX" name="remember">', {}),
        ('<input type="checkbox" name="remember" checked>', {"remember": "on"}),
        (
            '<input type="radio" name="way" value="app"><input type="radio" name="way" value="mail" checked>',
            {"way": "mail"},
        ),
        ('<button name="do" value="verify">1</button><button name="do" value="cancel">2</button>', {"do": "verify"}),
        ('<input type="submit" hidden><button name="do" value="cancel">Cancel</button>', {}),
        ('<button type="button" name="do" value="show">Show</button>', {}),
        ('<select name="device"><option value="">-<option value="1">phone</select>', {"device": ""}),
        ('<select name="device"><option value="1">a<option value="2" selected>b</select>', {"device": "2"}),
        ('<input name="gone" value="1" disabled>', {}),
        ('<input type="file" name="picture"><input type="image" name="here">', {}),
        ("<textarea name=remark></textarea>", {"remark": ""}),
    ],
)
def test_what_is_sent_of_an_untouched_form(controls: str, sent: dict[str, str]) -> None:
    """Presets, hidden fields and the first button; nothing of what is not ticked, chosen or clicked."""
    (form,) = html_forms(f"<form action=/here>{controls}</form>")
    assert (form.action, form.fields) == ("/here", sent)


def test_a_box_that_is_not_ticked_is_there_to_be_ticked() -> None:
    """It is known by its name, although nothing is sent of it."""
    (form,) = html_forms("<form><input type=checkbox name=sure></form>")
    assert form == HtmlForm("", {"sure"}, {})


def test_several_forms_and_what_is_outside() -> None:
    """Each has its own fields, and what stands outside of all is in none."""
    forms = html_forms("<input name=a><form><input name=b></form><input name=c><form><input name=d></form>")
    assert [form.names for form in forms] == [{"b"}, {"d"}]


@pytest.mark.parametrize("text", ["", '{"success": true}', "<form", "<p>no form</p>", "\0"])
def test_what_has_no_forms(text: str) -> None:
    """Anything may be answered to a request."""
    assert html_forms(text) == []
