"""Stored layout: the catalog's layout, beside its gallery, so that all processes use the same."""

from __future__ import annotations

import logging
import time

from lens.errors import DamagedError, NotFoundError
from lens.photos.layouts.layout import BY_FOLDERS, Layout, Names, Rule
from lens.storage import Storage
from lens.storage.documents import Document, Record, read_document, swap_document
from lens.storage.formats import newest_from, oldest, written_format

log = logging.getLogger(__name__)

KEY = "layout.json"
_SINCE = 2


class _Rule(Record):
    """A rule; see `layout.Rule`."""

    names: Names = "no"
    variants: bool = False


class _Stored(Document):
    """A layout; see `layout.Layout`."""

    given: str = ""
    root: _Rule = _Rule()
    rest: _Rule = _Rule()
    folders: dict[str, _Rule] = {}


def read_layout(storage: Storage) -> Layout:
    """The layout that is in force; without one, or with a damaged one until it is decided anew,
    folders are products."""
    try:
        return _layout(read_document(storage, KEY, _Stored)[0])
    except NotFoundError:
        return Layout()
    except DamagedError as error:
        log.warning("the layout is to be decided anew: %s", error)
        return Layout()


def check_layout(storage: Storage) -> None:
    """DamagedError when what is stored is damaged."""
    read_document(storage, KEY, _Stored)


def store_layout(storage: Storage, layout: Layout) -> Layout:
    """Put a layout in force; the one that is then. It waits while an earlier release may run, which
    would group otherwise and embed anew what this one has grouped."""
    if not keeps_layouts(storage):
        return read_layout(storage)
    new = _Stored(
        given=layout.given,
        root=_stored(layout.root),
        rest=_stored(layout.rest),
        folders={name: _stored(rule) for name, rule in sorted(layout.folders.items())},
    )

    def change(old: _Stored | None) -> _Stored | None:
        return None if (old or _Stored()) == new else new

    return _layout(swap_document(storage, KEY, _Stored, change, anew=True) or _Stored())


def keeps_layouts(storage: Storage) -> bool:
    """Whether a layout can be put in force yet."""
    return written_format(storage, time.time(), at_once=True) >= _SINCE


def layouts_from(storage: Storage, now: float) -> float | None:
    """From when one can be, in seconds since the epoch: `now` where it can; None until this release
    has run."""
    return now if oldest() >= _SINCE else newest_from(storage, now, at_once=True)


def _stored(rule: Rule) -> _Rule:
    return _Rule(names=rule.names, variants=rule.variants)


def _layout(stored: _Stored) -> Layout:
    def rule(each: _Rule) -> Rule:
        return Rule(each.names, each.variants) if each != _Rule() else BY_FOLDERS

    folders = {name: rule(each) for name, each in stored.folders.items()}
    return Layout(stored.given, rule(stored.root), rule(stored.rest), folders)
