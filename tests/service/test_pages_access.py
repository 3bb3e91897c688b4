"""Who gets what answer at every door of the pages. A new route without a line in the table fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from appliance import database
from appliance.access import Actor
from appliance.casework import casebook, cases, catalogue, referrals, tickets
from appliance.config import Settings
from appliance.database import db
from appliance.exchange import imports
from appliance.models.account import Account
from appliance.models.imports import Import, ImportState
from appliance.models.roles import Role
from appliance.models.states import VisitState
from appliance.models.visit import Visit
from appliance.registry import people
from tests.support.aid import everything_about
from tests.support.desk import resident, verify
from tests.support.letters import issued, row, signers
from tests.support.opensid import population
from tests.support.pairs import merge, pair_of
from tests.support.proposals import meeting, proposed
from tests.support.staff import AT, HOME, NEIGHBOUR, Staff, hire
from tests.support.web_client import Web, officer, web_app

# Everybody stands in one column. The case and its resident are of HOME; the referral is addressed to the health agency.
COLUMNS: dict[str, tuple[str, ...]] = {
    "nobody": ("nobody",),
    "registrar": ("fo", "fasilitator", "fo_puskesos"),
    "bo": ("bo",),
    "reader": ("supervisor", "manajer", "koordinator_puskesos", "bo_puskesos", "tksk", "penandatangan", "pimpinan"),
    "opd": ("opd.kesehatan",),
    "other opd": ("opd.pendidikan",),
    "admin": ("admin",),
    "trainer": ("pelatih",),
    "neighbour": ("fasilitator.tetangga",),
    "far": ("fo.asing",),
}

# From top to bottom with one sign-in, so leaving comes last of what needs one. Forms are sent empty and with an old version, so that nobody changes anything: 422 and 409 mean "she may, but not like this".
TABLE = """
                                nobody registrar  bo  reader  opd  other_opd  admin  trainer  neighbour  far
GET  home.show                     303       200 200     200  200        200    200      200        200  200
GET  people.listing                303       200 200     200  403        403    403      403        200  200
POST people.search                 401       303 303     303  403        403    403      403        303  303
GET  people.show                   303       200 200     200  403        403    403      403        404  404
POST people.reveal                 401       422 422     422  403        403    403      403        404  404
GET  people.new                    303       200 403     403  403        403    403      403        200  200
POST people.register               401       422 403     403  403        403    403      403        422  422
GET  contacts.listing              303       200 200     403  403        403    403      403        404  404
POST contacts.add                  401       422 422     403  403        403    403      403        404  404
POST contacts.remove               401       404 404     403  403        403    403      403        404  404
GET  corrections.edit_person       303       200 200     403  403        403    403      403        404  404
POST corrections.correct_person    401       422 422     403  403        403    403      403        404  404
GET  corrections.edit_family       303       200 200     403  403        403    403      403        404  404
POST corrections.correct_family    401       409 409     403  403        403    403      403        404  404
GET  corrections.show_health       303       403 200     403  403        403    403      403        404  403
POST corrections.change_health     401       403 303     403  403        403    403      403        404  403
GET  families.show                 303       200 200     200  403        403    403      403        404  404
POST families.reveal               401       422 422     422  403        403    403      403        404  404
GET  families.history              303       200 200     200  403        403    403      403        404  404
GET  families.life                 303       200 200     200  403        403    403      403        404  404
GET  happenings.ask_person         303       200 200     403  403        403    403      403        404  404
POST happenings.note_person        401       409 409     403  403        403    403      403        404  404
GET  happenings.ask_family         303       200 200     403  403        403    403      403        404  404
POST happenings.note_family        401       409 409     403  403        403    403      403        404  404
GET  person_files.choose_for_person 303      200 200     403  403        403    403      403        404  404
POST person_files.add_to_person    401       422 422     403  403        403    403      403        404  404
GET  person_files.choose_for_family 303      200 200     403  403        403    403      403        404  404
POST person_files.add_to_family    401       422 422     403  403        403    403      403        404  404
GET  person_files.show             303       404 404     404  403        403    403      403        404  404
GET  person_files.thumbnail        303       404 404     404  403        403    403      403        404  404
POST person_files.remove           401       404 404     403  403        403    403      403        404  404
GET  record_files.choose_for_profile 303     200 200     200  403        403    403      403        404  404
POST record_files.add_to_profile   401       422 422     422  403        403    403      403        404  404
GET  record_files.show_look        303       200 200     200  403        403    403      403        404  404
POST record_files.add_to_look      401       422 422     422  403        403    403      403        404  404
GET  duplicates.listing            303       403 403     403  403        403    403      403        403  403
GET  duplicates.show               303       403 403     403  403        403    403      403        403  403
POST duplicates.dismiss            401       403 403     403  403        403    403      403        403  403
POST duplicates.merge              401       403 403     403  403        403    403      403        403  403
GET  duplicates.show_merge         303       403 403     403  403        403    403      403        403  403
POST duplicates.undo               401       403 403     403  403        403    403      403        403  403
GET  cases.listing                 303       200 200     200  403        403    403      403        200  200
POST cases.search                  401       303 303     303  403        403    403      403        303  303
GET  cases.new                     303       200 403     403  403        403    403      403        404  404
POST cases.create                  401       422 403     403  403        403    403      403        404  404
GET  cases.show                    303       200 200     200  403        403    403      403        404  404
GET  cases.onlookers               303       200 200     200  403        403    403      403        404  404
POST cases.move                    401       409 409     409  403        403    403      403        404  404
GET  papers.choose                 303       200 200     200  403        403    403      403        404  404
POST papers.add                    401       422 422     422  403        403    403      403        404  404
POST papers.check                  401       403 409     403  403        403    403      403        403  403
GET  papers.show                   303       404 404     404  403        403    403      403        404  404
GET  papers.thumbnail              303       404 404     404  403        403    403      403        404  404
POST papers.remove                 401       404 404     404  403        403    403      403        404  404
GET  visits.listing                303       403 403     403  403        403    403      403        200  403
GET  visits.sheet                  303       200 200     200  403        403    403      403        404  404
GET  delegations.listing           303       403 403     403  403        403    403      403        403  403
POST delegations.add               401       403 403     403  403        403    403      403        403  403
POST delegations.end               401       403 403     403  403        403    403      403        403  403
GET  queue.desk                    303       200 403     403  403        403    403      403        403  200
POST queue.give                    401       422 403     403  403        403    403      403        403  422
GET  queue.card                    303       200 403     403  403        403    403      403        403  200
POST queue.call_next               401       422 403     403  403        403    403      403        403  422
POST queue.take_step               401       422 403     403  403        403    403      403        403  422
GET  queue.screen                  200       200 200     200  200        200    200      200        200  200
GET  queue.waits                   303       200 403     403  403        403    403      403        403  200
GET  guests.listing                303       200 403     403  403        403    403      403        403  200
POST guests.add                    401       422 403     403  403        403    403      403        403  422
GET  services.listing              303       200 200     200  403        403    403      403        200  200
GET  services.papers               303       200 200     200  403        403    403      403        200  200
GET  services.new                  303       403 200     403  403        403    403      403        403  403
POST services.add                  401       403 422     403  403        403    403      403        403  403
GET  services.edit                 303       403 200     403  403        403    403      403        403  403
POST services.change               401       403 422     403  403        403    403      403        403  403
POST drafts.save                   401       422 422     422  422        422    422      422        422  422
POST drafts.drop                   401       303 303     303  303        303    303      303        303  303
GET  citizen.ask                   200       200 200     200  200        200    200      200        200  200
POST citizen.answer                422       422 422     422  422        422    422      422        422  422
GET  citizen.notice                200       200 200     200  200        200    200      200        200  200
GET  trail.of_person               303       403 403     403  403        403    403      403        403  403
GET  trail.of_case                 303       403 403     403  403        403    403      403        403  403
GET  referrals.listing             303       200 200     200  200        200    403      403        200  200
GET  referrals.show                303       200 200     200  200        404    403      403        404  404
POST referrals.move                401       409 409     409  409        404    403      403        404  404
GET  referrals.new                 303       403 200     403  403        403    403      403        403  403
POST referrals.create              401       403 422     403  403        403    403      403        403  403
GET  proposals.listing             303       200 200     200  403        403    403      403        200  200
POST proposals.take_together       401       403 422     403  403        403    403      403        403  403
GET  proposals.new                 303       200 200     403  403        403    403      403        404  404
POST proposals.create              401       422 422     403  403        403    403      403        404  404
GET  proposals.show                303       200 200     200  403        403    403      403        404  404
GET  proposals.edit                303       409 409     403  403        403    403      403        404  404
POST proposals.change              401       422 422     403  403        403    403      403        404  404
POST proposals.move                401       409 409     409  403        403    403      403        404  404
GET  proposals.window              303       200 200     200  403        403    403      403        200  200
POST proposals.save_window         401       403 403     403  403        403    403      403        403  403
POST proposals.remove_window       401       403 403     403  403        403    403      403        403  403
GET  proposal_bases.listing        303       200 200     200  403        403    403      403        200  200
GET  proposal_bases.new            303       200 200     403  403        403    403      403        200  200
POST proposal_bases.create         401       422 422     403  403        403    403      403        422  422
GET  proposal_bases.show           303       200 200     200  403        403    403      403        404  404
POST proposal_bases.change         401       422 422     403  403        403    403      403        404  404
POST proposal_bases.put_on         401       422 422     403  403        403    403      403        404  404
POST proposal_bases.take_off       401       409 409     403  403        403    403      403        404  404
POST proposal_bases.decide         401       409 409     403  403        403    403      403        404  404
POST proposal_bases.sign           401       422 422     403  403        403    403      403        404  404
POST proposal_bases.cancel         401       422 422     403  403        403    403      403        404  404
GET  proposal_bases.paper          303       200 200     200  403        403    403      403        404  404
GET  proposal_bases.scan           303       404 404     403  403        403    403      403        404  404
GET  proposal_entry.listing        303       403 200     403  403        403    403      403        403  403
POST proposal_entry.copy           401       403 422     403  403        403    403      403        403  403
POST proposal_entry.tick           401       403 422     403  403        403    403      403        403  403
GET  proposal_entry.results        303       403 200     403  403        403    403      403        403  403
POST proposal_entry.store_results  401       403 422     403  403        403    403      403        403  403
GET  letters.listing               303       200 200     200  200        200    403      403        200  200
GET  letters.workbook              303       200 200     200  403        403    403      403        200  200
GET  letters.register_sheet        303       200 200     200  403        403    403      403        200  200
GET  letters.new                   303       403 200     403  403        403    403      403        403  403
POST letters.create                401       403 404     403  403        403    403      403        403  403
GET  letters.show                  303       200 200     200  200        404    403      403        404  404
GET  letters.edit                  303       403 409     403  403        403    403      403        403  403
POST letters.change                401       403 409     403  403        403    403      403        403  403
POST letters.move                  401       409 409     409  403        403    403      403        404  404
GET  letters.preview               303       200 200     200  403        403    403      403        404  404
GET  letters.paper                 303       200 200     200  200        404    403      403        404  404
POST letters.attach                401       403 422     403  403        403    403      403        403  403
GET  letters.scan                  303       404 404     404  404        404    403      403        404  404
GET  letters.form                  303       200 200     200  403        403    403      403        404  404
GET  slips.slip                    303       200 200     200  403        403    403      403        404  404
GET  slips.card                    303       403 200     403  403        403    403      403        403  200
GET  letter_check.ask              200       200 200     200  200        200    200      200        200  200
POST letter_check.search           422       422 422     422  422        422    422      422        422  422
GET  letter_check.show             200       200 200     200  200        200    200      200        200  200
GET  letter_office.listing         303       403 403     403  403        403    200      403        403  403
POST letter_office.go_on           401       403 403     403  403        403    422      403        403  403
GET  letter_office.edit_head       303       403 403     403  403        403    200      403        403  403
POST letter_office.save_head       401       403 403     403  403        403    422      403        403  403
GET  letter_office.edit_signatory  303       403 403     403  403        403    200      403        403  403
POST letter_office.save_signatory  401       403 403     403  403        403    422      403        403  403
GET  letter_office.edit            303       403 403     403  403        403    200      403        403  403
POST letter_office.save            401       403 403     403  403        403    422      403        403  403
POST letter_office.preview         401       403 403     403  403        403    422      403        403  403
GET  office_calendar.show          303       403 403     403  403        403    200      403        403  403
POST office_calendar.add_holiday   401       403 403     403  403        403    422      403        403  403
POST office_calendar.remove_holiday 401      403 403     403  403        403    404      403        403  403
POST office_calendar.import_holidays 401     403 403     403  403        403    422      403        403  403
POST office_calendar.save_hours    401       403 403     403  403        403    422      403        403  403
POST office_calendar.remove_period 401       403 403     403  403        403    404      403        403  403
POST office_calendar.save_limit    401       403 403     403  403        403    422      403        403  403
GET  exports.listing               303       403 200     200  403        403    403      403        403  403
GET  exports.new                   303       403 200     200  403        403    403      403        403  403
POST exports.ask                   401       403 422     422  403        403    403      403        403  403
GET  exports.show                  303       403 404     404  403        403    403      403        403  403
GET  exports.progress              303       403 404     404  403        403    403      403        403  403
GET  exports.download              303       403 404     404  403        403    403      403        403  403
POST exports.discard               401       403 404     404  403        403    403      403        403  403
GET  exports.layouts               303       403 403     403  403        403    403      403        403  403
GET  exports.layout                303       403 403     403  403        403    403      403        403  403
POST exports.save_layout           401       403 403     403  403        403    403      403        403  403
GET  programmes.listing            303       200 200     200  403        403    403      403        200  200
GET  programmes.new                303       403 200     403  403        403    403      403        403  403
POST programmes.add                401       403 422     403  403        403    403      403        403  403
GET  programmes.show               303       200 200     200  403        403    403      403        200  200
GET  programmes.edit               303       403 200     403  403        403    403      403        403  403
POST programmes.change             401       403 422     403  403        403    403      403        403  403
GET  programmes.rule_listing       303       200 200     200  403        403    403      403        200  200
GET  programmes.new_rule           303       403 200     403  403        403    403      403        403  403
POST programmes.add_rule           401       403 422     403  403        403    403      403        403  403
GET  programmes.edit_rule          303       403 200     403  403        403    403      403        403  403
POST programmes.change_rule        401       403 422     403  403        403    403      403        403  403
GET  programmes.list_listing       303       403 200     403  403        403    403      403        403  403
POST programmes.add_list           401       403 422     403  403        403    403      403        403  403
POST programmes.change_list        401       403 409     403  403        403    403      403        403  403
GET  aid.show                      303       200 200     200  403        403    403      403        404  404
GET  aid.new_participation         303       200 200     200  403        403    403      403        404  404
POST aid.record_participation      401       422 422     422  403        403    403      403        404  404
GET  aid.participation_page        303       200 200     200  403        403    403      403        404  404
POST aid.change_participation      401       422 422     422  403        403    403      403        404  404
POST aid.record_payment            401       422 422     422  403        403    403      403        404  404
POST aid.strike_payment            401       409 409     409  403        403    403      403        404  404
GET  aid.new_need                  303       200 200     200  403        403    403      403        404  404
POST aid.note_need                 401       422 422     422  403        403    403      403        404  404
GET  aid.need_page                 303       200 200     200  403        403    403      403        404  404
POST aid.close_need                401       409 409     409  403        403    403      403        404  404
GET  aid.new_status                303       200 200     200  403        403    403      403        404  404
POST aid.note_status               401       422 422     422  403        403    403      403        404  404
GET  profiles.new                  303       200 200     200  403        403    403      403        404  404
POST profiles.store                401       422 422     422  403        403    403      403        404  404
GET  profiles.show                 303       200 200     200  403        403    403      403        404  404
GET  accounts.listing              303       403 403     403  403        403    200      403        403  403
GET  accounts.new                  303       403 403     403  403        403    200      403        403  403
POST accounts.create               401       403 403     403  403        403    422      403        403  403
GET  accounts.show                 303       403 403     403  403        403    404      403        403  403
POST accounts.reset                401       403 403     403  403        403    404      403        403  403
POST accounts.deactivate           401       403 403     403  403        403    404      403        403  403
POST accounts.activate             401       403 403     403  403        403    404      403        403  403
POST accounts.assign               401       403 403     403  403        403    404      403        403  403
POST accounts.end                  401       403 403     403  403        403    404      403        403  403
GET  areas.listing                 303       200 200     200  403        403    200      403        200  200
POST areas.count                   401       403 403     403  403        403    303      403        403  403
GET  areas.show                    303       200 200     200  403        403    200      403        404  404
GET  areas.suggest                 303       200 200     200  403        403    200      403        404  404
POST areas.save_codes              401       403 403     403  403        403    303      403        403  403
POST areas.move                    401       403 403     403  403        403    404      403        403  403
POST areas.add_hamlet              401       403 403     403  403        403    422      403        403  403
POST areas.remove_hamlet           401       403 403     403  403        403    404      403        403  403
GET  handovers.listing             303       200 200     200  403        403    200      403        200  200
GET  handovers.new                 303       403 403     403  403        403    200      403        403  403
POST handovers.review              401       403 403     403  403        403    422      403        403  403
POST handovers.create              401       403 403     403  403        403    422      403        403  403
POST handovers.plan                401       403 403     403  403        403    422      403        403  403
GET  handovers.show_plan           303       404 404     404  403        403    404      403        404  404
GET  handovers.plan_sheet          303       404 404     404  403        403    404      403        404  404
POST handovers.cancel_plan         401       403 403     403  403        403    404      403        403  403
GET  handovers.show                303       404 404     404  403        403    404      403        404  404
GET  handovers.sheet               303       404 404     404  403        403    404      403        404  404
GET  power.show                    303       200 200     200  200        200    200      200        200  200
GET  power.sheet                   303       200 200     200  200        200    200      200        200  200
GET  units.listing                303       403 403     403  403        403    200      403        403  403
GET  units.new                    303       403 403     403  403        403    200      403        403  403
POST units.add                    401       403 403     403  403        403    422      403        403  403
GET  units.edit                   303       403 403     403  403        403    200      403        403  403
POST units.change                 401       403 403     403  403        403    422      403        403  403
POST power.start_now               401       403 403     403  403        403    409      403        403  403
POST power.shut_down               401       403 403     403  403        403    409      403        403  403
GET  power.book                    303       200 200     200  200        200    200      200        200  200
GET  backups.show                  303       403 403     403  403        403    200      403        403  403
POST backups.order                 401       403 403     403  403        403    422      403        403  403
GET  drills.listing                303       403 403     403  403        403    200      403        403  403
POST drills.begin                  401       403 403     403  403        403    422      403        403  403
GET  drills.show                   303       403 403     403  403        403    404      403        403  403
GET  drills.sheet                  303       403 403     403  403        403    404      403        403  403
GET  imports.listing               303       403 200     403  403        403    403      403        403  403
POST imports.receive               401       403 422     403  403        403    403      403        403  403
GET  imports.show                  303       403 200     403  403        403    403      403        403  403
GET  imports.columns               303       403 200     403  403        403    403      403        403  403
POST imports.check                 401       403 422     403  403        403    403      403        403  403
POST imports.store                 401       403 409     403  403        403    403      403        403  403
POST imports.undo                  401       403 409     403  403        403    403      403        403  403
POST imports.resume                401       403 409     403  403        403    403      403        403  403
GET  imports.report                303       403 200     403  403        403    403      403        403  403
POST imports.drop                  401       403 409     403  403        403    403      403        403  403
GET  sign_in.enter                 200       303 303     303  303        303    303      303        303  303
POST sign_in.enter_now             422       422 422     422  422        422    422      422        422  422
GET  sign_in.mine                  303       200 200     200  200        200    200      200        200  200
GET  sign_in.change_password       303       200 200     200  200        200    200      200        200  200
POST sign_in.change_password       401       422 422     422  422        422    422      422        422  422
POST sign_in.leave_elsewhere       401       303 303     303  303        303    303      303        303  303
POST sign_in.leave                 401       303 303     303  303        303    303      303        303  303
GET  health.show                   200       200 200     200  200        200    200      200        200  200
GET  power_banner.state            200       200 200     200  200        200    200      200        200  200
"""

_HEALTH = ("corrections.show_health", "corrections.change_health")
_REVEAL = ("people.reveal", "families.reveal")
# Who stands in one column but gets at some doors the answers of another: the doors by how their names begin.
APART: dict[str, tuple[str, tuple[str, ...]]] = {
    "fasilitator": ("bo", (*_HEALTH, "queue.", "guests.")),
    "manajer": ("bo", (*_HEALTH, "imports.")),
    "supervisor": ("bo", ("contacts.", "corrections.", "happenings.", "person_files.", "imports.")),
    "koordinator_puskesos": ("bo", ("imports.",)),
    "bo_puskesos": ("opd", ("exports.",)),
    "tksk": ("opd", ("exports.",)),
    "penandatangan": ("opd", (*_REVEAL, "exports.")),
    "pimpinan": ("opd", _REVEAL),
}
# Where one of a column is not like the others: who writes about aid does not sign, and the manager edits the catalogue.
_READ_ONLY = {"penandatangan": 403, "pimpinan": 403}
# Who decides or signs brings no papers.
_NOT_BRINGING = {"manajer": 403, **_READ_ONLY}
# Who writes proposals, and who prepares the meetings they rest on, besides the registrars and the back office.
_PROPOSING = ("koordinator_puskesos", "bo_puskesos")
_CONVENING = (*_PROPOSING, "supervisor", "tksk")
EXCEPT: dict[str, dict[str, int]] = {
    "proposals.take_together": {"manajer": 422},
    "proposals.new": dict.fromkeys(_PROPOSING, 200),
    "proposals.create": dict.fromkeys(_PROPOSING, 422),
    "proposals.edit": dict.fromkeys(_PROPOSING, 409),
    "proposals.change": dict.fromkeys(_PROPOSING, 422),
    "proposals.save_window": {"manajer": 422},
    "proposals.remove_window": {"manajer": 404},
    "proposal_bases.new": dict.fromkeys(_CONVENING, 200),
    "proposal_bases.create": dict.fromkeys(_CONVENING, 422),
    "proposal_bases.change": dict.fromkeys(_CONVENING, 422),
    "proposal_bases.put_on": dict.fromkeys(_CONVENING, 422),
    "proposal_bases.take_off": dict.fromkeys(_CONVENING, 409),
    "proposal_bases.decide": dict.fromkeys(_CONVENING, 409),
    "proposal_bases.sign": dict.fromkeys(_CONVENING, 422),
    "proposal_bases.cancel": dict.fromkeys(_CONVENING, 422),
    "proposal_bases.paper": {"pimpinan": 403},
    "proposal_bases.scan": dict.fromkeys(_CONVENING, 404),
