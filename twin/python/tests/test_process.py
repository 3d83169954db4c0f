"""How the program is found, and that it never outlives who started it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tokenry_twin import BinaryNotFound, Twin
from tokenry_twin.process import find_binary


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing is found."""
    monkeypatch.delenv("TOKENRY_BIN", raising=False)
    monkeypatch.delenv("CARGO_TARGET_DIR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("tokenry_twin.process.__file__", str(tmp_path / "site" / "process.py"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_variable_goes_before_the_path_and_the_path_before_what_was_built(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nowhere / "Cargo.toml").touch()
    older = program(nowhere / "target" / "release" / "tokenry")
    newer = program(nowhere / "target" / "debug" / "tokenry")
    os.utime(older, (1, 1))
    (nowhere / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(nowhere / "deep" / "er")
    assert find_binary() == str(newer)
    on_path = program(nowhere / "bin" / "tokenry")
    assert find_binary() == str(on_path)
    monkeypatch.setenv("TOKENRY_BIN", str(older))
    assert find_binary() == str(older)


def test_where_there_is_none_it_says_how_to_get_one(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BinaryNotFound, match="cargo build --release -p tokenry-cli"):
        find_binary()
    program(nowhere / "bin" / "tokenry")
    monkeypatch.setenv("TOKENRY_BIN", "no-such-tokenry")
    with pytest.raises(BinaryNotFound, match="TOKENRY_BIN=no-such-tokenry is no program"):
        Twin.start()
    with pytest.raises(BinaryNotFound, match="cannot be run"):
        Twin.start(binary=nowhere / "none")


def test_it_ends_with_the_process_that_started_it_however_that_ends() -> None:
    script = "import tokenry_twin as t; print(t.Twin.start().pid, flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    parent = subprocess.Popen([sys.executable, "-c", script], text=True, **pipes)
    twin = int(parent.stdout.readline())
    ended = os.pidfd_open(twin)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    assert select.select([ended], [], [], 30)[0] == [ended]
    os.close(ended)


def test_a_stop_waits_for_its_end_and_it_ends_in_order() -> None:
    twin = Twin.start()
    status, told = twin._process.stop()
    assert (status, told) == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(twin.pid, 0)
