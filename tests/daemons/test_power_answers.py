"""What a broken, lying or hostile server can say: whatever comes, the adapter tells the truth or a Silence, never a part."""

from __future__ import annotations

import shlex
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.ups import Ups

LIST = (
    b'BEGIN LIST VAR apc\nVAR apc battery.charge "41"\nVAR apc battery.runtime "700"\n'
    b'VAR apc ups.mfr "Back-UPS \\"MS\\" 1400"\nVAR apc ups.status "OB DISCHRG LB"\nEND LIST VAR apc\n'
)
TRUTH = Reading(frozenset({"OB", "DISCHRG", "LB"}), 41, timedelta(seconds=700))
SHORT = timedelta(seconds=0.2)


@contextmanager
def server(answer: bytes, *, close: bool = True) -> Iterator[tuple[str, int]]:
    """A server that gives this answer to the first request of each connection, then closes it or says nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    line, _address = door.accept()
                except OSError:
                    return
                held.append(line)
                try:
                    if line.recv(1000):
                        line.sendall(answer)
                    if close:
                        line.shutdown(socket.SHUT_RDWR)
                        line.close()
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield door.getsockname()
        door.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for line in held:
            line.close()


@contextmanager
def heard_by(answer: bytes) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """A server that answers a line to each request, and what it was asked."""
    lines = answer.split(b"\n", 3)
    heard: list[str] = []

    class Door(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            replies = iter([*(line + b"\n" for line in lines[:3]), lines[3]])
            for request in self.rfile:
                heard.append(request.decode().rstrip("\n"))
                self.wfile.write(next(replies, b"OK Goodbye\n"))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Door) as door:
        door.daemon_threads = True
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        host, port = door.server_address[:2]
        try:
            yield (str(host), int(port)), heard
        finally:
            door.shutdown()
            thread.join(10)


def read(answer: bytes, *, close: bool = True, deadline: timedelta = SHORT) -> Reading | Silence:
    with server(answer, close=close) as address:
        return Ups("apc", address).read(deadline)


def test_the_whole_list_is_the_truth() -> None:
    assert read(LIST, deadline=timedelta(seconds=20)) == TRUTH


@pytest.mark.parametrize("cut", range(len(LIST)))
def test_a_list_cut_at_any_byte_is_silence(cut: int) -> None:
    assert isinstance(read(LIST[:cut], deadline=timedelta(seconds=20)), Silence)


@pytest.mark.parametrize("cut", [0, 5, 60, len(LIST) - 30, len(LIST) - 1])
def test_a_list_that_stops_is_silence_at_the_deadline(cut: int) -> None:
    heard = read(LIST[:cut], close=False)
    assert isinstance(heard, Silence)
    assert heard.kind is SilenceKind.TIMEOUT


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"ERR DATA-STALE\n", SilenceKind.STALE),
        (b"ERR DRIVER-NOT-CONNECTED\n", SilenceKind.DRIVER),
        (b"ERR ACCESS-DENIED\n", SilenceKind.DENIED),
        (b"ERR UNKNOWN-UPS\n", SilenceKind.UNKNOWN),
        (b"ERR SOMETHING-NEW\n", SilenceKind.PROTOCOL),
        (b"ERR \n", SilenceKind.PROTOCOL),
        (b"\n", SilenceKind.PROTOCOL),
        (b"OK\n", SilenceKind.PROTOCOL),
        (b'VAR apc battery.charge "100"\n', SilenceKind.PROTOCOL),
        (b"BEGIN LIST VAR other\nEND LIST VAR other\n", SilenceKind.PROTOCOL),
        (b"BEGIN LIST VAR apc\nERR DATA-STALE\n", SilenceKind.STALE),
        (b'BEGIN LIST VAR apc\nVAR other ups.status "OL"\nEND LIST VAR apc\n', SilenceKind.PROTOCOL),
        (b"BEGIN LIST VAR apc\nVAR apc ups.status\nEND LIST VAR apc\n", SilenceKind.PROTOCOL),
        (b"BEGIN LIST VAR apc\nEND LIST VAR apc\n", SilenceKind.PROTOCOL),
        (b'BEGIN LIST VAR apc\nVAR apc battery.charge "9"\nEND LIST VAR apc\n', SilenceKind.UNCLEAR),
        (b'BEGIN LIST VAR apc\nVAR apc ups.status ""\nEND LIST VAR apc\n', SilenceKind.UNCLEAR),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", SilenceKind.PROTOCOL),
    ],
)
def test_what_is_no_answer(answer: bytes, kind: SilenceKind) -> None:
    heard = read(answer, deadline=timedelta(seconds=20))
    assert isinstance(heard, Silence)
    assert heard.kind is kind


LET_IN = b"OK\nOK\nOK\n"


@pytest.mark.parametrize("cut", range(len(LET_IN)))
def test_a_sign_in_cut_at_any_byte_is_silence(cut: int) -> None:
    with server(LET_IN[:cut]) as address:
        assert isinstance(Ups("apc", address, ("watcher", "secret")).read(timedelta(seconds=20)), Silence)


def test_a_sign_in_and_then_the_list_is_the_truth() -> None:
    with server(LET_IN + LIST, close=False) as address:
        assert Ups("apc", address, ("watcher", "secret")).read(timedelta(seconds=20)) == TRUTH


FORCED = b"OK\nOK\nOK FSD-SET\n"


@pytest.mark.parametrize("cut", range(len(FORCED)))
def test_a_forced_shutdown_whose_answer_is_cut_at_any_byte_is_not_believed(cut: int) -> None:
    """It may be set all the same: what is true is told by the next reading."""
    with server(FORCED[:cut]) as address:
        assert Ups("apc", address, ("watcher", "secret")).force_shutdown(timedelta(seconds=20)) is False


@pytest.mark.parametrize(
    ("answer", "believed"),
    [
        (FORCED, True),
        (b"OK\nOK\nERR ACCESS-DENIED\n", False),
        (b"OK\nOK\nOK\n", False),
        (b"OK\nERR INVALID-PASSWORD\n", False),
        (b'OK\nOK\nVAR apc ups.status "OL"\n', False),
    ],
)
def test_only_one_answer_says_that_a_shutdown_is_forced(answer: bytes, believed: bool) -> None:
    with server(answer, close=False) as address:
        assert Ups("apc", address, ("watcher", "secret")).force_shutdown(timedelta(seconds=20)) is believed


@pytest.mark.parametrize("password", ["with space", 'quo"te', "back\\slash", ""])
def test_an_odd_password_is_sent_as_one_word(password: str) -> None:
    with heard_by(LET_IN + LIST) as (address, heard):
        Ups("apc", address, ("watcher", password)).read(timedelta(seconds=20))
    assert shlex.split(heard[1])[1:] == [password]
    assert [line.split()[0] for line in heard] == ["USERNAME", "PASSWORD", "LOGIN", "LIST"]


@pytest.mark.parametrize("password", ["garis\nFSD apc", "kata\x00sandi", "kafé"])
def test_a_password_that_could_carry_a_second_request_is_not_sent(password: str) -> None:
    with heard_by(LET_IN + LIST) as (address, heard):
        assert isinstance(Ups("apc", address, ("watcher", password)).read(SHORT), Silence)
        assert not Ups("apc", address, ("watcher", password)).force_shutdown(SHORT)
    assert not any("FSD" in line or "PASSWORD" in line for line in heard)


def test_a_reset_in_the_middle_is_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        ups = Ups("apc", door.getsockname())
        said: list[Reading | Silence] = []
        reader = threading.Thread(target=lambda: said.append(ups.read(timedelta(seconds=20))))
        reader.start()
        line, _address = door.accept()
        line.recv(1000)
        line.sendall(LIST[:50])
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()
        reader.join(30)
    assert isinstance(said[0], Silence)
    assert said[0].kind is SilenceKind.CLOSED


def test_an_answer_that_drips_ends_with_the_deadline_of_the_whole_round() -> None:
    """A library with a deadline for each byte would go on for as long as bytes come."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:
        ups = Ups("apc", door.getsockname())

        def drip() -> None:
            line, _address = door.accept()
            with line, suppress(OSError):
                while not ended.wait(0.02):
                    line.sendall(b"B")

        dripping = threading.Thread(target=drip)
        dripping.start()
        heard = ups.read(timedelta(seconds=0.5))
        ended.set()
        dripping.join(10)
    assert isinstance(heard, Silence)
    assert heard.kind is SilenceKind.TIMEOUT


def test_another_unit_is_refused_but_not_its_forced_shutdown() -> None:
    named = LIST.replace(b"END LIST", b'VAR apc ups.serial "A1"\nEND LIST')

    def of(serial: str, answer: bytes = named) -> Reading | Silence:
        with server(answer, close=False) as address:
            return Ups("apc", address, serial=serial).read(timedelta(seconds=20))

    assert isinstance(of("A1"), Reading)
    assert isinstance(of(""), Reading)
    refused = of("B2")
    assert isinstance(refused, Silence)
    assert refused.kind is SilenceKind.OTHER_UNIT
    assert isinstance(of("A1", LIST), Silence), "a unit that does not say who it is"
    assert isinstance(of("B2", named.replace(b"OB DISCHRG", b"FSD OB")), Reading)


def test_a_list_without_an_end_is_not_read_for_ever() -> None:
    heard = read(b"BEGIN LIST VAR apc\n" + b'VAR apc x "1"\n' * 40_000, close=False, deadline=timedelta(seconds=30))
    assert isinstance(heard, Silence)
    assert heard.kind is SilenceKind.PROTOCOL


def test_odd_bytes_and_telnet_options_do_no_harm() -> None:
    odd = LIST.replace(b"MS", b"\xb0\xff\xfd\x01")
    heard = read(odd, deadline=timedelta(seconds=20))
    assert isinstance(heard, Silence) or heard == TRUTH


def test_a_telnet_option_is_not_negotiated() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        ups = Ups("apc", door.getsockname())
        reader = threading.Thread(target=ups.read, args=(timedelta(seconds=20),))
        reader.start()
        line, _address = door.accept()
        heard = line.recv(1000)
        line.sendall(b"\xff\xfd\x01" + LIST)
        reader.join(20)
        ups.release()
        while more := line.recv(1000):
            heard += more
        line.close()
    assert heard == b"LIST VAR apc\nLOGOUT\n"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(LIST)))
def test_no_bytes_break_it_and_none_become_a_wrong_reading(noise: bytes, cut: int) -> None:
    heard = read(LIST[:cut] + noise, deadline=timedelta(seconds=20))
    assert isinstance(heard, Silence) or heard == TRUTH


def test_a_late_answer_is_not_the_answer_to_the_next_question() -> None:
    """pynut2 alone would give the first list, sent too late, as the answer to the second question."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        ups = Ups("apc", door.getsockname())
        assert isinstance(ups.read(SHORT), Silence)
        late, _address = door.accept()
        late.recv(1000)
        late.sendall(LIST.replace(b"OB DISCHRG LB", b"OL"))
        assert isinstance(ups.read(SHORT), Silence)
        late.close()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = door.getsockname()
    heard = Ups("apc", address).read()
    assert isinstance(heard, Silence)
    assert heard.kind is SilenceKind.CONNECT
    assert "refused" in heard.detail, "the library alone would say: socket error"
