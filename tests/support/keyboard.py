"""Somebody without a mouse: she presses Tab until the control she wants has the focus, and always sees where she is."""

from __future__ import annotations

from playwright.sync_api import Page

MOST_TABS = 120
FOCUSED = """() => {
    const here = document.activeElement, style = getComputedStyle(here)
    const labels = [...(here.labels || [])].map(label => label.innerText.trim())
    const names = [here.name, here.value, (here.innerText || "").trim(), here.getAttribute("aria-label"), ...labels]
    const box = here.getBoundingClientRect()
    return {
      names, element: here.tagName, place: here.outerHTML.slice(0, 120),
      ring: style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2,
      seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
    }
}"""


class Keyboard:
    """The keys of one window."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tab_to(self, name: str) -> None:
        """Go to the control of that name, label or text. Fails when the way shows no focus, leads nowhere, or goes round."""
        passed: list[str] = []
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(FOCUSED)
            if here["element"] == "BODY":  # between the last control and the first
                continue
            assert here["ring"], f"no visible focus on {here['place']}"
            assert here["seen"], f"the focus is out of sight on {here['place']}"
            if any(told == name or (told or "").startswith(f"{name}\n") for told in here["names"]):
                return
            passed.append(here["place"])
        raise AssertionError(f"Tab never came to {name!r}; it passed\n" + "\n".join(passed))

    def press(self, name: str) -> None:
        """Go to a link or button that leads to another page, and wait for that."""
        self.tab_to(name)
        self.enter()

    def enter(self) -> None:
        """Press Enter where it leads to another page, and wait for that."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        """Go to a field and write in it."""
        self.tab_to(name)
        self.page.keyboard.type(text)

    def choose(self, name: str, beginning: str) -> None:
        """Go to a list and type the beginning of an entry."""
        self.tab_to(name)
        self.page.keyboard.type(beginning)

    def tick(self, name: str) -> None:
        """Go to a box and tick it."""
        self.tab_to(name)
        self.page.keyboard.press("Space")
