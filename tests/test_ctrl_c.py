"""Ctrl-C while a result is in the making: heard wherever it comes, other handlers left alone."""

import os
import signal
import threading

import pytest

from symbreak.data.streaming.resumable import resuming

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")


class Interrupted:
    """Ctrl-C comes while this is destroyed, where Python prints the exception and goes on."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_a_destructor_is_not_lost(tmp_path, capsys):
    def make():
        with resuming(path, {"x": ((5,), "f4")}, 5, {}) as result:
            for k in range(5):
                if k == 1:
                    Interrupted()
                made.append(k)
                result.advance(1)

    path, made = tmp_path / "out.h5", []
    with pytest.raises(KeyboardInterrupt, match="2 of 5 are kept, the same command continues"):
        make()
    assert made == [0, 1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not capsys.readouterr().err
    with resuming(path, {"x": ((5,), "f4")}, 5, {}) as result:
        assert result.done == 2


def test_ctrl_c_within_two_results_is_not_lost_either(tmp_path, capsys):
    """As in a command that keeps what it tried while it makes what it found."""
    shapes, made = {"x": ((5,), "f4")}, []

    def make():
        with (
            resuming(tmp_path / "tried.h5", shapes, 5, {}) as outer,
            resuming(tmp_path / "found.h5", shapes, 5, {}) as inner,
        ):
            outer.advance(5)
            for k in range(5):
                if k == 1:
                    Interrupted()
                made.append(k)
                inner.advance(1)

    with pytest.raises(KeyboardInterrupt, match="5 of 5 are kept, the same command continues"):
        make()
    assert made == [0, 1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not capsys.readouterr().err
    with resuming(tmp_path / "found.h5", shapes, 5, {}) as inner:
        assert inner.done == 2


def test_other_handlers_of_ctrl_c_stay(tmp_path):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *call: heard.append(call))
    try:
        with resuming(tmp_path / "out.h5", {"x": ((5,), "f4")}, 5, {}) as result:
            signal.raise_signal(signal.SIGINT)
            result.advance(5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(heard) == 1


def test_results_are_made_in_other_threads_too(tmp_path):
    def make():
        with resuming(tmp_path / "out.h5", {"x": ((5,), "f4")}, 5, {}) as result:
            result.advance(5)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    assert (tmp_path / "out.h5").exists()
