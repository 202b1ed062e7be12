"""TIFF files with any tags, of one page or several, as Pillow's encoder does not write them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

Values = tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """A page of one strip. `tags` come to the usual ones, or take their place."""

    width: int
    height: int
    rows: bytes
    bits: Values = (8, 8, 8)
    colors: int = 2  # 0 and 1 are gray, 2 RGB, 3 a palette, 5 CMYK, 6 YCbCr, 8 Lab
    tags: Mapping[int, Values] = field(default_factory=dict)

    def all_tags(self, strip: int) -> dict[int, Values]:
        """By number, with the strip's place."""
        usual: dict[int, Values] = {
            256: (self.width,),
            257: (self.height,),
            258: self.bits,
            259: (1,),
            262: (self.colors,),
            273: (strip,),
            277: (len(self.bits),),
            278: (self.height,),
            279: (len(self.rows),),
        }
        return {**usual, **self.tags}


def tiff_file(*pages: Page, order: str = "<", big: bool = False) -> bytes:
    """The pages in this order; every number is written as a LONG (in BigTIFF as a LONG8), few of
    them in their entry."""
    size, long, kind = ("Q", 8, 16) if big else ("I", 4, 4)
    head = {"<": b"II", ">": b"MM"}[order]
    body = (
        head + struct.pack(order + "HHHQ", 43, 8, 0, 16)
        if big
        else head + struct.pack(order + "HI", 42, 8)
    )
    pointer = len(body) - long  # where the place of the next page's tags is written
    out = bytearray(body)
    for page in pages:
        strip = len(out)
        out += page.rows
        out += b"\0" * (len(out) % 2)
        tags = sorted(page.all_tags(strip).items())
        places = {}
        for tag, values in tags:
            if len(values) > 1:
                places[tag] = len(out)
                out += struct.pack(f"{order}{len(values)}{size}", *values)
        struct.pack_into(order + size, out, pointer, len(out))
        out += struct.pack(order + ("Q" if big else "H"), len(tags))
        for tag, values in tags:
            value = places.get(tag, values[0])
            out += struct.pack(f"{order}HH{size}{size}", tag, kind, len(values), value)
        pointer = len(out)
        out += bytes(long)
    return bytes(out)
