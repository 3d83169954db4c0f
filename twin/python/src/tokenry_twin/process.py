"""The program ``tokenry twin``: found, started, and ended with whoever started it."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from .errors import BinaryNotFound, StartError

_PROGRAM = "tokenry.exe" if os.name == "nt" else "tokenry"
#: As long as it may take to serve, in seconds: some hundredths, but for a machine that is busy.
_START_MAX = 30.0
#: As long as calls in flight may hold up its end, in seconds.
_STOP_MAX = 10.0
#: As much of its last words as an error repeats, in bytes.
_TOLD_MAX = 2_000

_HOW_TO_GET = (
    "Build it (cargo build --release -p tokenry-cli, in a checkout of Tokenry) or install it "
    "(cargo install --locked --path crates/cli), and put it on PATH or name it in TOKENRY_BIN."
)


def find_binary() -> str:
    """The path of the program: ``TOKENRY_BIN``, else on ``PATH``, else the one that was built last
    in ``target/release`` or ``target/debug`` of this folder or one above, or of the checkout that
    this package lies in.

    Raises :class:`BinaryNotFound`; a ``TOKENRY_BIN`` that is no program is never passed over.
    """
    named = os.environ.get("TOKENRY_BIN")
    if named:
        found = shutil.which(named)
        if found is None:
            told = f"TOKENRY_BIN={named} is no program that can be run."
            raise BinaryNotFound(f"{told} {_HOW_TO_GET}")
        return found
    found = shutil.which(_PROGRAM)
    if found is not None:
        return found
    built = [path for path in _build_places() if os.access(path, os.X_OK) and path.is_file()]
    if built:
        return str(max(built, key=lambda path: path.stat().st_mtime))
    raise BinaryNotFound(
        f"No program {_PROGRAM}: TOKENRY_BIN is not set, it is not on PATH, and not in "
        f"target/release or target/debug of this folder or one above. {_HOW_TO_GET}"
    )


def _build_places() -> List[Path]:
    here = Path.cwd()
    folders = [here, *here.parents, *Path(__file__).resolve().parents]
    targets = [folder / "target" for folder in folders if (folder / "Cargo.toml").is_file()]
    if os.environ.get("CARGO_TARGET_DIR"):
        targets.insert(0, Path(os.environ["CARGO_TARGET_DIR"]))
    return [target / kind / _PROGRAM for target in targets for kind in ("release", "debug")]


class Process:
    """A running ``tokenry twin``. It ends when its standard input does, and so with this process,
    however that ends."""

    def __init__(self, arguments: List[str], binary: Optional[str] = None) -> None:
        """Returns once it serves. Raises :class:`BinaryNotFound` or :class:`StartError`."""
        command = [binary or find_binary(), "twin", "--port", "0", "--json", "--stop-with-stdin"]
        # A file and no pipe: nobody has to read it for the program to go on.
        self._told = tempfile.TemporaryFile()
        try:
            self._child = subprocess.Popen(
                command + arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._told,
            )
        except OSError as error:
            self._told.close()
            raise BinaryNotFound(f"{command[0]} cannot be run: {error}. {_HOW_TO_GET}") from None
        self.details = self._first_line(command[0])

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._child.pid

    def _first_line(self, binary: str) -> Dict[str, Any]:
        watch = threading.Timer(_START_MAX, self._child.kill)
        watch.start()
        try:
            line = self._child.stdout.readline()
        finally:
            watch.cancel()
        try:
            return json.loads(line)
        except ValueError:
            # What it printed is not shown: it could be the half of a line with credentials.
            self._end()
            code = self._child.returncode
            told = self._last_words() or "it said nothing"
            self._close()
            raise StartError(f"{binary} twin did not start (status {code}): {told}") from None

    def _last_words(self) -> str:
        self._told.seek(0, os.SEEK_END)
        self._told.seek(max(0, self._told.tell() - _TOLD_MAX))
        return self._told.read().decode(errors="replace").strip()

    def stop(self) -> Tuple[int, str]:
        """Ends it, waits for that, and returns its status and what it wrote to standard error.
        Doing it twice does nothing more."""
        if self._told.closed:
            return self._child.returncode, ""
        self._end()
        told = self._last_words()
        self._close()
        return self._child.returncode, told

    def _end(self) -> None:
        self._child.stdin.close()
        try:
            self._child.wait(_STOP_MAX)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _close(self) -> None:
        self._child.stdout.close()
        self._told.close()
