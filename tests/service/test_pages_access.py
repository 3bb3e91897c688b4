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
from appliance.incidents.register import IncidentText, open_incident
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
GET  several_letters.new           303       403 200     403  403        403    403      403        403  403
POST several_letters.create        401       403 404     403  403        403    403      403        403  403
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
GET  devices.listing               303       403 403     403  403        403    200      403        403  403
POST devices.cut                   401       404 404     404  404        404    404      404        404  404
GET  incidents.listing             303       403 403     403  403        403    200      403        403  403
GET  incidents.new                 303       403 403     403  403        403    200      403        403  403
POST incidents.create              401       403 403     403  403        403    422      403        403  403
GET  incidents.show                303       403 403     403  403        403    200      403        403  403
GET  incidents.edit                303       403 403     403  403        403    200      403        403  403
POST incidents.change              401       403 403     403  403        403    409      403        403  403
POST incidents.move                401       403 403     403  403        403    409      403        403  403
GET  incidents.sheet               303       403 403     403  403        403    200      403        403  403
GET  incidents.affected_sheet      303       403 403     403  403        403    403      403        403  403
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
GET  backup_sticks.listing         303       403 403     403  403        403    200      403        403  403
GET  hardware.show                 303       403 403     403  403        403    200      403        403  403
GET  commissioning.listing         303       403 403     403  403        403    200      403        403  403
GET  commissioning.ask             303       403 403     403  403        403    200      403        403  403
POST commissioning.confirm         401       403 403     403  403        403    422      403        403  403
GET  commissioning.sheet           303       403 403     403  403        403    200      403        403  403
GET  support.show                  303       403 403     403  403        403    200      403        403  403
POST support.ask                   401       403 403     403  403        403    303      403        403  403
POST support.download              401       403 403     403  403        403    404      403        403  403
POST backup_sticks.eject           401       403 403     403  403        403    404      403        403  403
GET  network.show                  303       403 403     403  403        403    200      403        403  403
GET  network.address_card          303       403 403     403  403        403    409      403        403  403
POST network.try_address           401       403 403     403  403        403    422      403        403  403
POST network.undo                  401       403 403     403  403        403    409      403        403  403
POST network.look                  401       403 403     403  403        403    303      403        403  403
GET  network.ask_to_confirm        404       404 404     404  404        404    404      404        404  404
GET  node_clock.show               303       403 403     403  403        403    200      403        403  403
POST node_clock.change             401       403 403     403  403        403    422      403        403  403
POST network.confirm               404       404 404     404  404        404    404      404        404  404
GET  backup_restores.show          303       403 403     403  403        403    200      403        403  403
POST backup_restores.order         401       403 403     403  403        403    422      403        403  403
POST backup_restores.remove        401       403 403     403  403        403    422      403        403  403
GET  backup_restores.progress      303       403 403     403  403        403    200      403        403  403
GET  backup_restores.papers        303       403 403     403  403        403    200      403        403  403
POST backup_restores.order_papers  401       403 403     403  403        403    422      403        403  403
GET  backup_restores.told          303       200 200     200  200        200    200      200        200  200
GET  upgrades.show                 303       403 403     403  403        403    200      403        403  403
POST upgrades.order                401       403 403     403  403        403    422      403        403  403
GET  old_cases.ask                 303       403 403     403  403        403    403      403        403  403
POST old_cases.order               401       403 403     403  403        403    403      403        403  403
GET  old_cases.show                303       403 403     403  403        403    403      403        403  403
GET  old_cases.sheet               303       403 403     403  403        403    403      403        403  403
POST old_cases.close               401       403 403     403  403        403    403      403        403  403
GET  recovery_sheet.show           303       403 403     403  403        403    200      403        403  403
POST recovery_sheet.prove          401       403 403     403  403        403    409      403        403  403
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
    "backups.show": {"supervisor": 200, "manajer": 200, "pimpinan": 200},
    "backups.order": {"manajer": 422},
    "old_cases.ask": {"supervisor": 200, "manajer": 200},
    "old_cases.order": {"supervisor": 422, "manajer": 422},
    "old_cases.show": {"supervisor": 404, "manajer": 404},
    "old_cases.sheet": {"supervisor": 404, "manajer": 404},
    "old_cases.close": {"supervisor": 404, "manajer": 404},
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
    "power.start_now": {"supervisor": 409, "manajer": 409, "pimpinan": 409},
    "power.shut_down": {"supervisor": 409, "manajer": 409, "pimpinan": 409},
    "areas.count": {"supervisor": 303, "manajer": 303},
    "areas.add_hamlet": {"supervisor": 422, "koordinator_puskesos": 422},
    "areas.remove_hamlet": {"supervisor": 404, "koordinator_puskesos": 404},
    "papers.choose": _NOT_BRINGING,
    "papers.add": _NOT_BRINGING,
    "papers.check": {"supervisor": 409, "koordinator_puskesos": 409},
    "papers.remove": _NOT_BRINGING,
    "visits.listing": dict.fromkeys(("fasilitator", "tksk", "supervisor", "koordinator_puskesos"), 200),
    "devices.listing": {"supervisor": 200, "manajer": 200},
    "incidents.listing": {"manajer": 200},
    "incidents.new": {"manajer": 200},
    "incidents.show": {"manajer": 200},
    "incidents.edit": {"manajer": 200},
    "incidents.sheet": {"manajer": 200},
    "incidents.affected_sheet": {"manajer": 200},
    "incidents.create": {"manajer": 422},
    "incidents.change": {"manajer": 409},
    "incidents.move": {"manajer": 409},
    "delegations.listing": {"manajer": 200},
    "delegations.add": {"manajer": 422},
    "delegations.end": {"manajer": 404},
    "office_calendar.show": {"manajer": 200},
    "office_calendar.add_holiday": {"manajer": 422},
    "office_calendar.remove_holiday": {"manajer": 404},
    "office_calendar.import_holidays": {"manajer": 422},
    "office_calendar.save_hours": {"manajer": 422},
    "office_calendar.remove_period": {"manajer": 404},
    "office_calendar.save_limit": {"manajer": 422},
    "queue.card": {"fo_puskesos": 404},
    "queue.waits": {"supervisor": 200, "manajer": 200, "pimpinan": 200},
    "guests.listing": {"supervisor": 200, "manajer": 200},
    "services.new": {"manajer": 200},
    "services.add": {"manajer": 422},
    "services.edit": {"manajer": 200},
    "services.change": {"manajer": 422},
    "trail.of_person": {"manajer": 200},
    "trail.of_case": {"manajer": 200},
    "handovers.new": {"supervisor": 200, "manajer": 200},
    "handovers.review": {"supervisor": 422, "manajer": 422},
    "handovers.create": {"supervisor": 422, "manajer": 422},
    "handovers.plan": {"supervisor": 422, "manajer": 422},
    "handovers.cancel_plan": {"supervisor": 404, "manajer": 404},
    "duplicates.listing": {"supervisor": 200, "manajer": 200},
    "duplicates.show": {"supervisor": 200, "manajer": 200},
    "duplicates.dismiss": {"supervisor": 422, "manajer": 422},
    "duplicates.merge": {"supervisor": 422, "manajer": 422},
    "duplicates.show_merge": {"supervisor": 200, "manajer": 200},
    "duplicates.undo": {"supervisor": 422, "manajer": 422},
    "programmes.new": {"manajer": 200},
    "programmes.add": {"manajer": 422},
    "programmes.edit": {"manajer": 200},
    "programmes.change": {"manajer": 422},
    "programmes.new_rule": {"manajer": 200},
    "programmes.add_rule": {"manajer": 422},
    "programmes.edit_rule": {"manajer": 200},
    "programmes.change_rule": {"manajer": 422},
    "programmes.list_listing": {"manajer": 200},
    "programmes.add_list": {"manajer": 422},
    "programmes.change_list": {"manajer": 409},
    "aid.new_participation": _READ_ONLY,
    "aid.record_participation": _READ_ONLY,
    "aid.change_participation": _READ_ONLY,
    "aid.record_payment": _READ_ONLY,
    "aid.strike_payment": _READ_ONLY,
    "aid.new_need": _READ_ONLY,
    "aid.note_need": _READ_ONLY,
    "aid.close_need": _READ_ONLY,
    "aid.new_status": _READ_ONLY,
    "aid.note_status": _READ_ONLY,
    "record_files.choose_for_profile": _READ_ONLY,
    "record_files.add_to_profile": _READ_ONLY,
    "record_files.add_to_look": _READ_ONLY,
    "profiles.new": _READ_ONLY,
    "profiles.store": _READ_ONLY,
    # Who writes letters besides the back office.
    "letters.new": {"supervisor": 200, "bo_puskesos": 200},
    "letters.create": {"supervisor": 404, "bo_puskesos": 404},
    "several_letters.new": {"supervisor": 200, "bo_puskesos": 200},
    "several_letters.create": {"supervisor": 404, "bo_puskesos": 404},
    "letters.edit": {"supervisor": 409, "bo_puskesos": 409},
    "letters.change": {"supervisor": 409, "bo_puskesos": 409},
    "letters.attach": {"supervisor": 422, "bo_puskesos": 422, "fo": 422, "fo.asing": 404},
    # A letter shows whole numbers: who only watches does not open it.
    "letters.preview": {"pimpinan": 403},
    "letters.paper": {"pimpinan": 403},
    "letters.scan": {"pimpinan": 403},
    "letters.form": {"pimpinan": 403},
    "slips.card": {"fo": 200, "fo_puskesos": 200, "bo_puskesos": 200},
    "letter_office.listing": {"manajer": 200},
    "letter_office.go_on": {"manajer": 422},
    "letter_office.edit_head": {"manajer": 200},
    "letter_office.save_head": {"manajer": 422},
    "letter_office.edit_signatory": {"manajer": 200},
    "letter_office.save_signatory": {"manajer": 422},
    "letter_office.edit": {"manajer": 200},
    "letter_office.save": {"manajer": 422},
    "letter_office.preview": {"manajer": 422},
    "exports.layouts": {"manajer": 200},
    "exports.layout": {"manajer": 200},
    "exports.save_layout": {"manajer": 422},
}


# Who is let in is decided above the database: everybody walks on SQLite. On PostgreSQL only these do, to whom every door opens
# that opens at all, so that the queries of each page are tried there too.
ON_POSTGRESQL = ("nobody", "fasilitator", "bo", "supervisor", "manajer", "opd.kesehatan", "admin", "fo.asing")


def _column(column: str, name: str, endpoint: str) -> str:
    other, doors = APART.get(name, ("", ()))
    return other if endpoint.startswith(doors) else column


@dataclass(frozen=True)
class Line:
    """One line of the table: the answer for each column."""

    method: str
    endpoint: str
    answers: dict[str, int]


def lines() -> list[Line]:
    """The lines of the table."""
    rows = [row.split() for row in TABLE.strip().splitlines()[1:]]
    return [Line(row[0], row[1], dict(zip(COLUMNS, map(int, row[2:]), strict=True))) for row in rows]


def _doors(app: Flask) -> dict[tuple[str, str], Rule]:
    """Every method of every route, but for the static files and the methods that Flask adds."""
    return {
        (method, rule.endpoint): rule
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def _hire_everybody() -> None:
    """An account for each name in the columns; the user name begins with the role."""
    units = {"opd.kesehatan": "dinkes", "opd.pendidikan": "disdik"}
    areas = {"fasilitator.tetangga": (NEIGHBOUR,), "fo.asing": ("73.03.06",)}
    for name in (name for names in COLUMNS.values() for name in names if name != "nobody"):
        role = Role(name.partition(".")[0])
        at_home = () if role in (Role.OPD, Role.ADMIN, Role.PELATIH) else (HOME,)
        unit = catalogue.unit_id(units[name]) if name in units else None
        officer(_username(name), role, unit=unit, areas=areas.get(name, at_home))


def _username(name: str) -> str:
    return f"petugas.{name}"


# What the addresses name and this office does not have.
NOT_THERE = (
    "file_id",
    "paper_id",
    "delegation_id",
    "contact_id",
    "export_id",
    "drill_id",
    "look_id",
    "assignment_id",
    "hamlet_id",
    "holiday_id",
    "hours_id",
    "handover_id",
    "plan_id",
)


def case_with_referral(staff: Staff) -> dict[str, str]:
    """A resident of HOME, her case, which is DIRUJUK, and a referral that was sent; what the addresses need."""
    new = people.NewPerson(name="Nurhayati", sex="P", village_code=HOME, nik_reason="Belum merekam KTP", address="Jl. Satu 1")
    person_id = people.register_person(new, request_id="p", by=staff.fo, at=AT)
    service = catalogue.service_types()[0].id
    wanted = cases.NewCase(person_id, service, "pengaduan", "Kartu tidak aktif", informed=True)
    case_id = cases.open_case(wanted, request_id="c", by=staff.fo, at=AT).id

    def move(action: str, **fields: str) -> None:
        by = staff.manager if action.startswith("tetapkan") else staff.bo
        version = casebook.look_at_case(case_id, by=by, at=AT).row_version
        cases.move_case(case_id, action, fields, row_version=version, by=by, at=AT)

    verify(case_id, staff.bo)
    move("ajukan", recommendation="Rujuk")
    unit = catalogue.unit_id("dinkes")
    referral_id = referrals.refer_case(
        case_id, referrals.NewReferral(unit, "Mohon bantuan", ("nama",)), request_id="r", by=staff.bo, at=AT
    )
    move("tetapkan_dirujuk")
    version = casebook.look_at_referral(referral_id, by=staff.bo, at=AT).line.row_version
    referrals.send_referral(referral_id, row_version=version, by=staff.bo, at=AT)
    letter_id = letter_with(staff, case_id, referral_id)
    return {
        **dict.fromkeys(NOT_THERE, "nothing"),
        "person_id": person_id,
        "family_id": people.look_at_person(person_id, by=staff.fo, at=AT).family_id or "",
        "kind": "pindah",
        "visit_id": _visit_of(case_id, staff),
        "case_id": case_id,
        "referral_id": referral_id,
        "letter_id": letter_id,
        "letter_step": "paraf",
        "check_code": row(letter_id).check_code or "",
        "wording_code": "formulir-keluhan",
        "action": "usulkan_keluar",
        "step": "receive",
        "label": "A",
        "token": "nothing",
        "check": "steker",
        "layout_code": "siksng",
        "account_id": "nobody",
        "pair_id": pair_of(*(resident(staff.fo, "Sitti Aminah") for _ in range(2)), by=staff.supervisor),
        "merge_id": merge(*(resident(staff.fo, "Sitti Aminah") for _ in range(2)), by=staff.supervisor),
        "code": HOME,
        "service_code": "pangan",
        "ticket_id": tickets.give_card("hijau", (), request_id="q", by=staff.fo, at=AT).id,
        "unit_id": catalogue.unit_id("dinkes"),
        "import_id": _import_of_home(),
        "proposal_id": proposed(staff.facilitator, person_id),
        "proposal_step": "tarik",
        "together_step": "tetapkan",
        "basis_id": meeting(staff.facilitator),
        "incident_id": _incident_of(staff),
        "incident_step": "tangani",
        **everything_about(person_id, staff.fo),
    }


def _incident_of(staff: Staff) -> str:
    """The facilitator's tablet is gone."""
    text = IncidentText("perangkat_hilang", AT, AT, "Dicuri", "Nama, alamat", account_id=staff.facilitator.account_id)
    return open_incident(text, request_id="insiden", by=staff.manager, at=AT)


def _visit_of(case_id: str, staff: Staff) -> str:
    """A visit that a facilitator made while the case was verified."""
    with database.transaction() as session:
        visit = Visit(case_id=case_id, visitor_id=staff.facilitator.account_id, state=VisitState.CONFIRMED, visited_on=AT.date())
        visit.stamp(staff.facilitator.account_id, AT)
        session.add(visit)
        session.flush()
        return visit.id


def letter_with(staff: Staff, case_id: str, referral_id: str) -> str:
    """The letter that went out with the referral."""
    return issued(staff, signers(staff), case_id, wording="surat-rujukan", purpose="Rujukan", referral_id=referral_id)


def _import_of_home() -> str:
    """A list for HOME that the back officer of the columns has taken back, so that no step of it can be taken again."""
    by = db.session.scalars(sa.select(Account).where(Account.username == _username("bo"))).one()
    actor = Actor(by.id, by.name, by.username, frozenset({Role.BO}), (HOME,))
    import_id = imports.receive(BytesIO(population()), "a.xlsx", request_id="i", by=actor, at=AT)
    with database.transaction():
        row = db.session.get_one(Import, import_id)
        row.state, row.village_code = ImportState.UNDONE, HOME
    return import_id


def test_every_route_is_in_the_table(pages: Flask) -> None:
    assert {(line.method, line.endpoint) for line in lines()} == set(_doors(pages))


def _walkers(settings: Settings) -> list[tuple[str, str]]:
    """The column and the name of everybody who tries the doors on this database."""
    everybody = [(column, name) for column, names in COLUMNS.items() for name in names]
    return [(column, name) for column, name in everybody if not settings.database.url or name in ON_POSTGRESQL]


def right(line: Line, column: str, name: str) -> int:
    """The answer that she is to get at this door."""
    return EXCEPT.get(line.endpoint, {}).get(name, line.answers[_column(column, name, line.endpoint)])


def _opens(line: Line, name: str) -> bool:
    column = next(column for column, names in COLUMNS.items() if name in names)
    return right(line, column, name) not in (401, 403, 404)


def test_each_door_that_opens_is_opened_on_postgresql() -> None:
    everybody = tuple(name for names in COLUMNS.values() for name in names)
    assert _opened_to(ON_POSTGRESQL) == _opened_to(everybody)


def _opened_to(names: tuple[str, ...]) -> set[tuple[str, str]]:
    """The doors that open to one of them. Who has not signed in is only sent to do so."""
    officers = [name for name in names if name != "nobody"]
    return {(line.method, line.endpoint) for line in lines() if any(_opens(line, name) for name in officers)}


@pytest.mark.timeout(900)  # three thousand requests, on a machine that does other things besides
def test_everybody_gets_the_answer_of_her_column(pages: Flask, settings: Settings) -> None:
    # not around the requests: each is to have a context of its own
    with pages.app_context():
        _hire_everybody()
        values = case_with_referral(hire())
        database.db.session.remove()
    doors = _doors(pages)
    wrong = []
    for column, name in _walkers(settings):
        web = Web(pages)
        _enter(web, name)
        for line in lines():
            path = re.sub(r"<(\w+)>", lambda found: values[found[1]], doors[(line.method, line.endpoint)].rule)
            # a name of her own each, or the brake on guessing would answer for all
            typed: dict[str, object] = {"username": f"bukan.{name}"} if line.endpoint == "sign_in.enter_now" else {}
            answer = web.get(path) if line.method == "GET" else web.post(path, typed)
            wanted = right(line, column, name)
            if answer.status_code != wanted:
                wrong.append(f"{name}: {line.method} {line.endpoint} gives {answer.status_code}, not {wanted}")
    assert wrong == []


def _enter(web: Web, name: str) -> None:
    if name == "nobody":
        web.get("/masuk")
    else:
        assert web.sign_in(_username(name)).status_code == 303, name


def test_what_is_confidential_exists_only_for_those_who_handle_it(pages: Flask) -> None:
    with pages.app_context():
        _hire_everybody()
        person_id, opened = _confidential_case(hire())
        database.db.session.remove()
    for name, status in (
        ("supervisor", 200),
        ("bo", 200),
        ("manajer", 200),
        ("fo", 404),
        ("pimpinan", 404),
        ("fasilitator", 404),
    ):
        web = Web(pages)
        _enter(web, name)
        assert web.get(f"/kasus/{opened.id}").status_code == status, name
        listed = opened.number in web.get("/kasus?tampil=semua").text
        assert listed is (status == 200), name
        assert (opened.number in web.get(f"/warga/{person_id}").text) is (status == 200), name


def _confidential_case(staff: Staff) -> tuple[str, cases.OpenedCase]:
    new = people.NewPerson(name="Nurhayati", sex="P", village_code=HOME, nik_reason="Belum merekam KTP")
    person_id = people.register_person(new, request_id="p", by=staff.fo, at=AT)
    wanted = cases.NewCase(
        person_id, catalogue.service_types()[0].id, "pengaduan", "Pungutan di desa", confidential=True, informed=True
    )
    return person_id, cases.open_case(wanted, request_id="c", by=staff.fo, at=AT)
