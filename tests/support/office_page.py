"""A page as a person sees it: its words, its links, and its forms with their labels and buttons.

Knows nothing of the network; a page without the wanted button or field fails with what is on it instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

UNSEEN = {"script", "style", "template", "head", "svg"}
VOID = {"input", "br", "img", "meta", "link", "hr", "wbr", "source", "use", "path", "circle", "rect"}


@dataclass
class Field:
    """One thing to fill in: `options` are the values of a choice with the words that stand there."""

    name: str
    kind: str
    value: str = ""
    label: str = ""
    checked: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Button:
    """What sends a form."""

    text: str = ""
    name: str = ""
    value: str = ""
    action: str = ""


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)

    def field_for(self, key: str) -> Field | None:
        """The field with this name, or whose label begins with `key`."""
        by_name = [known for known in self.fields if known.name == key]
        by_label = [known for known in self.fields if known.label.casefold().startswith(key.casefold())]
        return next(iter(by_name or by_label), None)

    def filled(self, answers: dict[str, str], button: Button) -> list[tuple[str, str]]:
        """What the form sends when it is filled with `answers` (name or label → value or the words of a choice)."""
        given: dict[int, str] = {}
        for key, answer in answers.items():
            found = self.field_for(key)
            assert found is not None, f"no field {key!r}; there are {[(known.name, known.label) for known in self.fields]}"
            if found.kind == "radio":
                found = _radio(self.fields, found.name, answer)
            given[id(found)] = _value_of(found, answer)
            if found.kind == "radio":
                given.update({id(other): "" for other in self.fields if other.name == found.name and other is not found})
        sent = [(known.name, given.get(id(known), _default(known))) for known in self.fields if known.name]
        kept = [
            pair for known, pair in zip([f for f in self.fields if f.name], sent, strict=True) if pair[1] or not _is_tick(known)
        ]
        return kept + ([(button.name, button.value)] if button.name else [])


def _is_tick(known: Field) -> bool:
    return known.kind in {"checkbox", "radio"}


def _default(known: Field) -> str:
    if _is_tick(known):
        return known.value if known.checked else ""
    return known.value


def _radio(fields: list[Field], name: str, answer: str) -> Field:
    group = [known for known in fields if known.name == name]
    fitting = [known for known in group if answer in (known.value, known.label)]
    assert fitting, f"no choice {answer!r} for {name}; there are {[(known.value, known.label) for known in group]}"
    return fitting[0]


def _value_of(known: Field, answer: str) -> str:
    """The value to send: for a choice also found by its words, for a tick its own."""
    if _is_tick(known):
        return known.value if answer else ""
    if known.kind != "select":
        return answer
    fitting = [value for value, words in known.options if answer == value or words.casefold().startswith(answer.casefold())]
    assert fitting, f"no choice {answer!r} for {known.name}; there are {known.options}"
    return fitting[0]


@dataclass
class Page:
    """What came back: `text` is what a person reads."""

    address: str
    status: int
    html: str
    title: str = ""
    text: str = ""
    forms: list[Form] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    def form_with(self, words: str) -> tuple[Form, Button]:
        """The form and its button that reads `words` (its beginning is enough)."""
        for form in self.forms:
            for button in form.buttons:
                if button.text.casefold().startswith(words.casefold()):
                    return form, button
        raise AssertionError(f"no button {words!r} on {self}")

    def link(self, words: str) -> str:
        """Where the link that contains `words` leads."""
        for text, target in self.links:
            if words.casefold() in text.casefold():
                return target
        raise AssertionError(f"no link {words!r} on {self}")

    def __str__(self) -> str:
        buttons = [button.text for form in self.forms for button in form.buttons]
        fields = [[(known.name, known.label) for known in form.fields if known.kind != "hidden"] for form in self.forms]
        links = [text for text, _ in self.links]
        return f"{self.status} {self.address}\ntitle: {self.title}\nbuttons: {buttons}\nfields: {fields}\nlinks: {links}\n{self.text}"


class Reader(HTMLParser):
    """Reads a page into forms, links and text."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.form: Form | None = None
        self.button: Button | None = None
        self.choice: Field | None = None
        self.area: Field | None = None
        self.labels: dict[str, str] = {}
        self.ids: dict[str, Field] = {}
        self.label: tuple[str, str] | None = None
        self.in_label: list[Field] = []
        self.link: tuple[str, str] | None = None
        self.stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.stack.append(tag)
        if tag in {"input", "select", "textarea"}:
            self._field(tag, given)
        elif begins := getattr(self, f"_begin_{tag}", None):
            begins(given)

    def _begin_form(self, given: dict[str, str]) -> None:
        self.form = Form(given.get("action") or self.page.address, given.get("method", "get").lower())
        self.page.forms.append(self.form)

    def _begin_a(self, given: dict[str, str]) -> None:
        self.link = ("", given.get("href", ""))

    def _begin_label(self, given: dict[str, str]) -> None:
        self.label, self.in_label = (given.get("for", ""), ""), []

    def _begin_button(self, given: dict[str, str]) -> None:
        self.button = Button("", given.get("name", ""), given.get("value", ""), given.get("formaction", ""))

    def _begin_option(self, given: dict[str, str]) -> None:
        if self.choice is not None:
            self.choice.options.append((given.get("value", ""), ""))
            if "selected" in given:
                self.choice.value = given.get("value", "")

    def _field(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        found = Field(given.get("name", ""), kind, given.get("value", "on" if kind in {"checkbox", "radio"} else ""))
        found.checked = "checked" in given
        if kind == "submit" and self.form is not None:
            self.form.buttons.append(Button(found.value, found.name, found.value))
            return
        if self.form is not None:
            self.form.fields.append(found)
        self.ids[given.get("id", "")] = found
        if self.label is not None:
            self.in_label.append(found)
        if tag == "select":
            self.choice = found
        elif tag == "textarea":
            self.area = found

    def handle_endtag(self, tag: str) -> None:
        while tag in self.stack and self.stack.pop() != tag:
            pass
        if ends := getattr(self, f"_end_{tag}", None):
            ends()

    def _end_form(self) -> None:
        self.form = None

    def _end_a(self) -> None:
        if self.link is not None:
            self.page.links.append((_plain(self.link[0]), self.link[1]))
        self.link = None

    def _end_button(self) -> None:
        if self.button is not None and self.form is not None:
            self.button.text = _plain(self.button.text)
            self.form.buttons.append(self.button)
        self.button = None

    def _end_select(self) -> None:
        if self.choice is not None and not self.choice.value and self.choice.options:
            self.choice.value = self.choice.options[0][0]
        self.choice = None

    def _end_textarea(self) -> None:
        self.area = None

    def _end_label(self) -> None:
        if self.label is not None:
            target, text = self.label
            for found in self.in_label:
                found.label = _plain(text)
            if target:
                self.labels[target] = _plain(text)
        self.label = None

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] == "title" and not self.page.title:
            self.page.title = _plain(data)
        elif self.area is not None:
            self.area.value += data
        elif self.choice is not None:
            self._option_text(data)
        elif not UNSEEN & set(self.stack):
            self._visible_text(data)

    def _option_text(self, data: str) -> None:
        assert self.choice is not None
        if self.choice.options:
            value, words = self.choice.options[-1]
            self.choice.options[-1] = (value, _plain(words + data))

    def _visible_text(self, data: str) -> None:
        self.page.text += data + " "
        if self.button is not None:
            self.button.text += data
        if self.link is not None:
            self.link = (self.link[0] + data, self.link[1])
        if self.label is not None:
            self.label = (self.label[0], self.label[1] + data)

    def finish(self) -> None:
        """Give the fields the labels that point at them."""
        for target, text in self.labels.items():
            if target in self.ids and not self.ids[target].label:
                self.ids[target].label = text
        self.page.text = re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"[ \t]+", " ", self.page.text)).strip()


def _plain(text: str) -> str:
    return " ".join(text.split())


def read_page(address: str, status: int, html: str) -> Page:
    """The page as a person sees it."""
    page = Page(address, status, html)
    reader = Reader(page)
    reader.feed(html)
    reader.close()
    reader.finish()
    return page
