"""HTML forms as a browser sends them: hidden fields, preset values and the button included."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

__all__ = ["HtmlForm", "html_forms"]

# What a browser sends nothing of, unless it is clicked.
_UNSENT: Final = ("button", "file", "image", "reset")


@dataclass
class HtmlForm:
    """A form on a page.

    Attributes:
        action: where it is sent, as written; empty for the page's own address.
        names: the names of all that can be filled in, ticked or chosen.
        fields: what a browser would send of it if nothing were.
    """

    action: str
    names: set[str] = field(default_factory=set)
    fields: dict[str, str] = field(default_factory=dict)


def html_forms(text: str) -> list[HtmlForm]:
    """Return the forms of a page, in the order of the page.

    Args:
        text: the page's HTML; anything else has no forms.
    """
    parser = _FormParser()
    parser.feed(text)
    parser.close()
    return parser.forms


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self._form: HtmlForm | None = None
        self._has_button = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form, self._has_button = HtmlForm(attributes.get("action", "")), False
            self.forms.append(self._form)
        elif self._form is None or "disabled" in attributes:
            return
        elif tag == "select":
            self._select = attributes.get("name", "")
            self._form.names.add(self._select)
        elif tag == "option":
            # Of those that a list offers the first is sent, unless another one is selected.
            if self._select and (self._select not in self._form.fields or "selected" in attributes):
                self._form.fields[self._select] = attributes.get("value", "")
        elif tag in {"input", "button", "textarea"}:
            self._control(self._form, tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _control(self, form: HtmlForm, tag: str, attributes: dict[str, str]) -> None:
        name, kind = attributes.get("name", ""), attributes.get("type", "submit" if tag == "button" else "text").lower()
        form.names.add(name)
        if kind == "submit":
            # The Enter key presses the first one.
            unsent, self._has_button = self._has_button, True
        else:
            unsent = kind in _UNSENT or (kind in {"checkbox", "radio"} and "checked" not in attributes)
        if name and not unsent:
            form.fields[name] = attributes.get("value", "on" if kind == "checkbox" else "")
