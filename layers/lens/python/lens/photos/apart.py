"""Apart: photos that are decoded in processes of their own, so that one that is large, slow or
breaks its decoder costs itself alone.

Some decoders keep Python's lock until they are done, and none can be interrupted. A process is
started when it is first needed, used again, and ends when nothing was asked of it for a while, or
with this one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import IO

from lens import errors
from lens.errors import BrokenImageError, PhotoError, TooManyPixelsError

log = logging.getLogger(__name__)

# What is asked (bytes of the photo, the most pixels) and answered (how, width and height of the RGB
# that follows, or bytes of the reason).
ASKED, ANSWERED = struct.Struct(">IQ"), struct.Struct(">BII")
DECODED, REFUSED, TOO_MUCH_MEMORY = range(3)

CPU_SECONDS = 10  # of all cores; the largest photos of the slowest kind take three to four
# For a machine that hardly runs at all: CPU time is what counts.
_WALL_SECONDS = 120.0
_KEPT = 2  # idle processes, of some 50 MB each
_SECRET = ("LENS_", "AWS_")
_PROGRAM = "from lens.photos.apart_process import main; main()"

_TOO_SLOW = (
    f"the photo takes more than {CPU_SECONDS} s to decode; save it again as a plain JPEG, smaller"
)
_TOO_LARGE = "decoding the photo takes too much memory; send a smaller copy"
_BREAKS = "the photo makes its decoder fail; save it again as a plain JPEG"


class NotStartedError(Exception):
    """No process can be started now."""


@dataclass(frozen=True)
class Decoded:
    """A photo's RGB, row by row."""

    size: tuple[int, int]
    rgb: bytes


class Apart:
    """The processes that decode photos for this one; safe to call from several threads."""

    def __init__(self) -> None:
        self._idle: list[_Process] = []
        self._lock = threading.Lock()

    def decode(self, data: bytes, most_pixels: int) -> Decoded:
        """A photo, decoded in another process. Raises a PhotoError, and NotStartedError."""
        while True:
            process, is_new = self._process()
            try:
                found = process.decode(data, most_pixels)
            except _EndedError as error:
                process.close()
                if error.status == 0 and not is_new:  # it had just ended for want of work
                    continue
                raise _meaning(error.status) from error
            except BaseException:
                process.close()
                raise
            self._keep(process)
            if isinstance(found, PhotoError):
                raise found
            return found

    def close(self) -> None:
        """End the processes that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.close()

    def _process(self) -> tuple[_Process, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        return _Process(), True

    def _keep(self, process: _Process) -> None:
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append(process)
                return
        process.close()


class _EndedError(Exception):
    """A process has ended instead of answering; `status` is as `Popen.returncode`."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the decoder ended with status {status}")
        self.status = status


def _meaning(status: int) -> Exception:
    """What it means for a photo that its decoder ended like this."""
    if status == -signal.SIGPROF:
        return BrokenImageError(_TOO_SLOW)
    if status == -signal.SIGKILL:  # by the system, which lacks memory
        return TooManyPixelsError(_TOO_LARGE)
    if status < 0:
        log.warning("a photo broke its decoder (signal %d); nothing else is affected", -status)
        return BrokenImageError(_BREAKS)
    return NotStartedError(f"a decoder ended at once, with status {status}")


class _Process:
    """One process: answers one photo at a time."""

    def __init__(self) -> None:
        # It reads strangers' files: no key of ours is in its memory.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET)}
        environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OPENBLAS_NUM_THREADS": "1",  # it multiplies no matrices
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # C libraries' grumbling
            )
        except OSError as error:
            raise NotStartedError(str(error)) from error

    def decode(self, data: bytes, most_pixels: int) -> Decoded | PhotoError:
        """The photo, or why there is none. Raises _EndedError."""
        asked = self._pipe(self._process.stdin)
        try:
            asked.write(ASKED.pack(len(data), most_pixels))
            asked.write(data)
            asked.flush()
        except BrokenPipeError:
            raise self._ended() from None
        answer = self._pipe(self._process.stdout)
        heard = select.poll()  # `select` knows no file descriptors from 1,024 on
        heard.register(answer, select.POLLIN)
        if not heard.poll(1000 * _WALL_SECONDS):
            self._process.send_signal(signal.SIGPROF)
        how, width, height = ANSWERED.unpack(self._read(answer, ANSWERED.size))
        if how == DECODED:
            return Decoded((width, height), self._read(answer, 3 * width * height))
        if how == TOO_MUCH_MEMORY:
            return TooManyPixelsError(_TOO_LARGE)
        kind, _, reason = self._read(answer, width).decode().partition("\0")
        refusal: PhotoError = getattr(errors, kind)(reason)
        return refusal

    def close(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not written yet cannot be any more
                self._pipe(pipe).close()

    def _read(self, pipe: IO[bytes], size: int) -> bytes:
        data = pipe.read(size)
        if len(data) < size:
            raise self._ended()
        return data

    def _ended(self) -> _EndedError:
        return _EndedError(self._process.wait())

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe
