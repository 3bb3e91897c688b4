"""A day in the office, over TLS from another machine: from the first sign-in to the closed case."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest

from tests.support.machine import Machine
from tests.support.office import Office
from tests.support.story import ANSWER, COMPLAINT, OFFICERS, RESIDENT, file_case, find_case, furnish, meet, settle_case, take_list

HISTORY = (
    "Kasus dicatat",
    "Ambil untuk diverifikasi",
    "Sahkan",
    "Teruskan ke telaah",
    "Rujukan disiapkan",
    "Ajukan untuk ditetapkan",
    "Tetapkan: dirujuk",
    "Rujukan dikirim",
    "Rujukan diterima",
    "Rujukan dijawab OPD",
    "Catat hasil",
    "Tutup: warga sudah diberi tahu",
)


def test_a_case_from_the_first_sign_in_to_its_end(lasting: Machine) -> None:
    node = meet(lasting)
    furnish(node)
    number = file_case(node)
    settle_case(node, number)
    told = find_case(node.sign_in("spv.citra"), number)
    history = told[told.index("Riwayat") :]
    places = [history.find(step) for step in HISTORY]
    assert -1 not in places, dict(zip(HISTORY, places, strict=True))
    assert places == sorted(places, reverse=True), "the newest step stands first"
    assert COMPLAINT in told
    assert ANSWER in told
    assert RESIDENT in take_list(node), "long work is done beside the pages"
    assert all(
        name in history for username, (name, _) in OFFICERS.items() if username.split(".")[0] in {"fo", "bo", "mgr", "opd"}
    )


def test_the_certificate_is_the_nodes_own_and_its_ca_vouches_for_nothing_else(lasting: Machine) -> None:
    node = meet(lasting)
    assert Office(node.base, node.ca).visit("/masuk").status == 200
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.load_verify_locations(cadata=node.ca)
    for name in ("slrt.local", "slrt"):
        with (
            socket.create_connection((lasting.address, 443), 30) as plain,
            trust.wrap_socket(plain, server_hostname=name) as safe,
        ):
            assert safe.version() == "TLSv1.3"
    with socket.create_connection((lasting.address, 443), 30) as plain, pytest.raises(ssl.SSLCertVerificationError):
        trust.wrap_socket(plain, server_hostname="www.example.com")
    text = lasting.run("openssl x509 -in /etc/slrt/tls/ca.crt -noout -text").out
    assert "Name Constraints: critical" in text
    assert "CA:TRUE" in text


def test_a_laptop_without_the_ca_is_warned(lasting: Machine) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        http.client.HTTPSConnection(lasting.address, timeout=30).connect()


def test_plain_http_only_hands_out_the_certificate(lasting: Machine) -> None:
    door = http.client.HTTPConnection(lasting.address, timeout=30)
    assert "sertifikat" in _ask(door, "GET", "/")[1].casefold()
    door.request("GET", "/ca.crt")
    answer = door.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-x509-ca-cert")
    answer.read()
    assert _ask(door, "POST", "/masuk")[0] in {404, 405}


def _ask(door: http.client.HTTPConnection, method: str, path: str) -> tuple[int, str]:
    door.request(method, path, b"username=a&password=b" if method == "POST" else None)
    answer = door.getresponse()
    return answer.status, answer.read().decode()


def test_the_service_survives_a_kill_of_each_of_its_processes(lasting: Machine) -> None:
    node = meet(lasting)
    for unit in ("slrt-web", "slrt-scheduler", "slrt-watcher", "slrt-front"):
        before = lasting.run(f"systemctl show -p MainPID --value {unit}").out.strip()
        lasting.run(f"kill -9 {before}")
        # in a container systemd may miss that the killed service is gone; it then goes on after TimeoutStopSec
        lasting.run(
            f"for i in $(seq 900); do p=$(systemctl show -p MainPID --value {unit}); "
            f"[ $p != 0 ] && [ $p != {before} ] && systemctl is-active -q {unit} && exit 0; sleep 0.1; done; exit 1"
        )
    assert Office(node.base, node.ca).visit("/masuk").status == 200
    lasting.run("for i in $(seq 60); do slrt status && exit 0; sleep 0.5; done; exit 1")
