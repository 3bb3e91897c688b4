"""What a broken, lying or hostile server can say: whatever comes, the adapter tells the truth or a Silence, never a part."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
