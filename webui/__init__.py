"""The pages: what an officer sees in her browser. They translate between a form and a service, and know no rule of their own."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from flask import Flask, url_for

from appliance import config, database
from appliance.config import Settings
from appliance.restoration.settling import complete
from webui import aid_words, backup_restores, errors, navigation, power_banner, security, words
from webui.session import may_open, now, person

# Each module holds a `blueprint`, and a `NAVIGATION` when it belongs in the menu.
BLUEPRINTS = (
    "home",
    "people",
    "contacts",
    "corrections",
    "families",
    "happenings",
    "person_files",
    "record_files",
    "duplicates",
    "cases",
    "papers",
    "visits",
    "delegations",
    "queue",
    "guests",
    "services",
    "drafts",
    "citizen",
    "trail",
    "referrals",
    "proposals",
    "proposal_bases",
    "proposal_entry",
    "letters",
    "several_letters",
    "slips",
    "letter_check",
    "letter_office",
    "office_calendar",
    "units",
    "imports",
    "exports",
    "programmes",
    "aid",
    "profiles",
    "areas",
    "handovers",
    "sign_in",
    "accounts",
    "devices",
    "incidents",
    "health",
    "hardware",
    "support",
    "commissioning",
    "power",
    "drills",
    "backups",
    "backup_sticks",
    "backup_restores",
    "upgrades",
    "old_cases",
    "recovery_sheet",
    "network",
    "node_clock",
    "power_banner",
)


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Without `settings`, those of the file that the environment names. Raises ConfigurationError."""
    if settings is None:
        settings = config.load(config.config_path())
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    database.attach(app, settings)
    complete(settings, app)
    security.secure(app, settings, config.read_secret(settings, "web-session-key"))
    errors.install(app)
    entries: list[navigation.Entry] = []
    for module in load_pages():
        app.register_blueprint(module.blueprint)
        entries += getattr(module, "NAVIGATION", ())
    _words(app, settings)
    app.context_processor(lambda: _shell(settings, entries))
    return app


def load_pages() -> list[ModuleType]:
    """The modules of the pages, in the order of BLUEPRINTS. Needs no settings and opens nothing."""
    return [importlib.import_module(f"webui.{name}") for name in BLUEPRINTS]


def _words(app: Flask, settings: Settings) -> None:
    """Filters that show dates and numbers as the office does."""
    zone = settings.zone
    app.jinja_env.filters.update(
        date=lambda value: words.date_words(value, zone),
        short_date=lambda value: words.short_date_words(value, zone),
        moment=lambda value: words.moment_words(value, zone),
        short_moment=lambda value: words.short_moment_words(value, zone),
        clock=lambda value: words.clock_words(value, zone),
        number=words.number_words,
        rupiah=aid_words.rupiah,
    )


def _shell(settings: Settings, entries: list[navigation.Entry]) -> dict[str, Any]:
    """What the frame around every page shows."""
    found = person()
    ready = found is not None and not found.must_change_password
    return {
        "office": settings.node.office,
        "person": power_banner.name_plate(found.actor) if found else None,
        "navigation": navigation.menu(entries, found.actor.roles) if found and ready else navigation.Menu(),
        "search_url": url_for("people.search") if ready and found and may_open("people.search", found) else None,
        "power": power_banner.current_banner(),
        "last_outage": power_banner.current_outage,
        "restored_to": backup_restores.restored().told_at(now()) if ready else None,
        "static_url": security.static_url,
    }
