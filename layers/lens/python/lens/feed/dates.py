"""Dates: from when and until when a sale price holds, as product files write it. A ValueError says
what to do."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from lens.feed.values import shown

_DAY = 86_400.0
# Magento writes days as Americans do; all others as ISO 8601 does.
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})")


def start_of(text: str) -> float:
    """The first second of a time or a day, since the epoch; UTC where it names no zone."""
    return _time(text)[0].timestamp()


def end_of(text: str) -> float:
    """The second after a time or a day, which is the sale's last."""
    time, is_day = _time(text)
    # In seconds: a datetime has no day after 9999-12-31, which many systems write for "no end".
    return time.timestamp() + (_DAY if is_day else 1.0)


def _time(text: str) -> tuple[datetime, bool]:
    """A time, and whether it is a whole day."""
    plain = text.strip()
    if american := _AMERICAN.fullmatch(plain):
        month, day, year = american.groups()
        plain = f"{int(year) + 2000 * (len(year) == 2)}-{int(month):02}-{int(day):02}"
    try:
        time = datetime.fromisoformat(plain)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)), len(plain) <= len("2026-11-28")
    except ValueError:
        raise ValueError(f"{shown(text)} is no date; write it as 2026-11-28") from None
