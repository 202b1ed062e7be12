"""A process apart: decodes the photos that its parent (apart.py) writes to it, within limits of
memory and time that the system enforces, until the parent closes the pipe or ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import select
import signal
from collections.abc import Iterator
from typing import IO

from lens.errors import PhotoError
from lens.photos.apart import ANSWERED, ASKED, CPU_SECONDS, DECODED, REFUSED, TOO_MUCH_MEMORY
from lens.photos.decoding import decode
from lens.settings import Limits

# The largest photos take 1.1 GB (docs/reliability.md); this process without a photo 0.1.
MOST_BYTES = 3 * 2**29
_IDLE_SECONDS = 60.0


def main() -> None:
    """Answer until the pipe ends, or is silent for a while."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this
    _limit()
    asked, answers = os.fdopen(0, "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints may come between the answers
    while select.select([asked], [], [], _IDLE_SECONDS)[0]:
        head = _read(asked, ASKED.size)
        if len(head) < ASKED.size:
            return
        size, most_pixels = ASKED.unpack(head)
        data = _read(asked, size)
        if len(data) < size:
            return
        with _watched():
            answer = _answer(data, Limits(size, most_pixels, apart=False))
        for part in answer:  # the next photo may come as soon as this is written
            answers.write(part)
        answers.flush()


def _answer(data: bytes, limits: Limits) -> tuple[bytes, bytes]:
    try:
        image = decode(data, limits)
        return ANSWERED.pack(DECODED, *image.size), image.tobytes()
    except MemoryError:
        return ANSWERED.pack(TOO_MUCH_MEMORY, 0, 0), b""
    except PhotoError as error:
        reason = f"{type(error).__name__}\0{error}".encode()
        return ANSWERED.pack(REFUSED, len(reason), 0), reason


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """The system ends this process, whatever its decoder is at, when it has used up its time or its
    parent ends: nothing else can happen to the pipe while its photo is decoded."""
    flags = fcntl.fcntl(0, fcntl.F_GETFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, flags | os.O_ASYNC)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        fcntl.fcntl(0, fcntl.F_SETFL, flags)


def _limit() -> None:
    """It writes no file, a photo that breaks it least of all."""
    limits = [(resource.RLIMIT_DATA, MOST_BYTES), (resource.RLIMIT_FSIZE, 0)]
    for what, most in (*limits, (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # macOS does not know the first
            resource.setrlimit(what, (most, most))


def _read(pipe: IO[bytes], size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    parts = []
    while size and (part := pipe.read(min(size, 2**20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
