"""Layout: which product a photo's key means, and in which category that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from lens.feed.pictures import picture_in
from lens.photos.catalog import PartitionEntry, category, item_id
from lens.photos.layouts.file_names import FileName, is_code, read_name
from lens.photos.layouts.template import FOLDERS, Template, parse_template

# How file names are read: not at all; all before the view; or up to the product's number.
Names = Literal["no", "whole", "code"]
Folder = tuple[str, ...]
# What told where a photo belongs; "itself": nothing did, so it is a product of its own.
Told = Literal["partition", "given", "name", "variant", "folder", "itself"]


class Placed(NamedTuple):
    """Where a photo belongs."""

    item_id: str
    category: str
    variant: str = ""
    told: Told = "folder"


@dataclass(frozen=True)
class Rule:
    """How the photos of some folders are read; without anything, their folders are products."""

    names: Names = "no"
    variants: bool = False  # a folder in a product's folder is a variant

    @property
    def text(self) -> str:
        """As people write it."""
        names = {"no": "", "whole": "SKU_1.jpg", "code": "SKU_1.jpg, SKU_variant_1.jpg"}[self.names]
        folders = "SKU/variant/1.jpg" if self.variants else ""
        return " and ".join(filter(None, (names, folders))) or "SKU/1.jpg"


BY_FOLDERS = Rule()


@dataclass(frozen=True)
class Layout:
    """A catalog's layout: LENS_LAYOUT's word, or what was recognized for the photos that lie in no
    folder, for those in the folders named here, and for all others."""

    given: str = ""
    root: Rule = BY_FOLDERS
    rest: Rule = BY_FOLDERS
    folders: Mapping[str, Rule] = field(default_factory=dict)  # by the first folder's name

    @cached_property
    def template(self) -> Template | None:
        """The template that was given; UsageError for a wrong one."""
        return parse_template(self.given) if self.given and self.given != FOLDERS else None

    def place(self, key: str, partition: Mapping[str, PartitionEntry]) -> Placed:
        """Where a photo belongs. What neither partition file nor layout tells, the folders do; so
        they do for pictures that were fetched, whose folders this project has made."""
        if key in partition:
            return Placed(partition[key].item_id, category(key), told="partition")
        if picture_in(key):
            return _by_folders(key)
        if self.template:
            parts = self.template.parts(key)
            if parts is None:
                return _by_folders(key)
            return Placed(parts.item, parts.category, parts.variant, "given")
        folders, stem = split_key(key)
        rule = self.folders.get(folders[0], self.rest) if folders else self.root
        return (
            (rule.variants and _by_variant(folders))
            or (rule.names != "no" and _by_name(key, folders, read_name(stem), rule.names))
            or _by_folders(key)
        )

    @property
    def recognized(self) -> list[tuple[str, Rule]]:
        """Where which rule holds that is not the folders' own."""
        found = [("in no folder", self.root), ("in folders", self.rest)]
        found += [(f"in {name}/", rule) for name, rule in sorted(self.folders.items())]
        return [(where, rule) for where, rule in found if rule != BY_FOLDERS or where.endswith("/")]

    @property
    def text(self) -> str:
        """In a line."""
        if self.given:
            return f"{self.given} (LENS_LAYOUT)"
        found = self.recognized
        if not found:
            return "SKU/1.jpg: a folder is a product"
        rules = {rule.text for _, rule in found}
        if len(rules) == 1 and not self.folders:
            return f"{rules.pop()} (recognized)"
        return "; ".join(f"{rule.text} {where}" for where, rule in found) + " (recognized)"


def split_key(key: str) -> tuple[Folder, str]:
    """A key's folders, without a leading `img/`, and its file's name without the suffix."""
    *folders, file = key.removeprefix("img/").split("/")
    return tuple(folders), file.rpartition(".")[0] or file


def is_variant(folders: Folder) -> bool:
    """Whether the last folder can be a variant of the product that the folder above it is."""
    if len(folders) < 2 or not is_code(folders[-2]):
        return False
    return not is_code(folders[-1]) or folders[-1].casefold().startswith(folders[-2].casefold())


def item_in_name(name: FileName, names: Names) -> str:
    """The product that a file's name begins with; empty where it does not say."""
    return (name.code if names == "code" else "") or name.whole


def _by_folders(key: str) -> Placed:
    item = item_id(key, {})
    return Placed(item, category(key), told="itself" if item == key else "folder")


def _by_variant(folders: Folder) -> Placed | None:
    if not is_variant(folders):
        return None
    *above, product, variant = folders
    return Placed("/".join((*above, product)), "/".join(above), variant, "variant")


def _by_name(key: str, folders: Folder, name: FileName, names: Names) -> Placed | None:
    if name.by_camera:
        return Placed(key, "/".join(folders), told="itself")
    item = item_in_name(name, names)
    if not item:
        return None
    above = folders[: folders.index(item)] if item in folders else folders
    variant = name.variant if names == "code" else ""
    return Placed("/".join((*above, item)), "/".join(above), variant, "name")
