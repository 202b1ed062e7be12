"""Odd photos: files as cameras, editors and half-done copies leave them, made here, by kind."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from tests.support.photos import encode, png_file

MANY = 300_000  # times 8 bytes: beyond what Pillow unpacks of a text
SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLORS = ((200, 40, 40), (40, 170, 60), (40, 60, 200), (190, 170, 60), (120, 60, 120), (236,) * 3)


def patches() -> Image.Image:
    """Six colors and a ramp, a narrow green stripe on the left, so that turns are told."""
    image = Image.new("RGB", (192, 256))
    for place, color in enumerate(COLORS):
        image.paste(color, (place % 2 * 96, place // 2 * 64, place % 2 * 96 + 96, 255))
    ramp = np.tile(np.linspace(0, 255, 192).astype(np.uint8)[:, None], (64, 1, 3))
    image.paste(Image.fromarray(ramp.reshape(64, 192, 3)), (0, 192))
    image.paste((40, 200, 40), (0, 0, 16, 256))
    return image


def chunk(kind: bytes, data: bytes, wrong: bool = False) -> bytes:
    """A PNG chunk, with a wrong checksum if that is wanted."""
    check = zlib.crc32(kind + data) ^ wrong
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(*chunks: bytes, image: Image.Image | None = None) -> bytes:
    """A PNG with these chunks behind its header."""
    data = encode(image or patches(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def jpeg(image: Image.Image | None = None, **options: object) -> bytes:
    """A JPEG of high quality."""
    return encode(image or patches(), "JPEG", quality=95, **options)


def segment(marker: int, data: bytes, photo: bytes | None = None) -> bytes:
    """A JPEG with this segment in front."""
    photo = photo or jpeg()
    return photo[:2] + struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data + photo[2:]


def palette() -> Image.Image:
    """The picture in 64 colors."""
    return patches().quantize(64)


def avif(primaries: int = 1, transfer: int = 13) -> bytes:
    """An AVIF whose colors are named by these code points."""
    data = encode(patches(), "AVIF", quality=100, subsampling="4:4:4")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def branded(data: bytes, *brands: bytes) -> bytes:
    """A HEIF file with these brands, the first in front, instead of its own."""
    size = int.from_bytes(data[:4], "big")
    room = (size - 16) // 4
    others = (brands * room)[:room]
    return data[:8] + brands[0] + data[12:16] + b"".join(others) + data[16 + 4 * room :]


def exif(orientation: int, kind: str = "H", count: int = 1) -> bytes:
    """EXIF tags of one orientation, as a short (H), a long (I) or a byte (B)."""
    types = {"H": 3, "I": 4, "B": 1}
    value = struct.pack(f"<{count}{kind}", *[orientation] * count).ljust(4, b"\0")
    entry = struct.pack("<HHI", 0x112, types[kind], count) + value
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4)


def profile_of_size(size: int) -> bytes:
    """sRGB's profile with a private tag of noise, as large as those of scanners and printers."""
    count = struct.unpack(">I", SRGB_PROFILE[128:132])[0]
    table, body = SRGB_PROFILE[132 : 132 + 12 * count], SRGB_PROFILE[132 + 12 * count :]
    body += bytes(-len(body) % 4)
    tags = [struct.unpack(">4sII", table[at : at + 12]) for at in range(0, len(table), 12)]
    noise = b"data" + bytes(8) + np.random.default_rng(0).bytes(size - len(SRGB_PROFILE))
    moved = b"".join(struct.pack(">4sII", name, at + 12, length) for name, at, length in tags)
    moved += struct.pack(">4sII", b"priv", 132 + len(table) + 12 + len(body), len(noise))
    whole = SRGB_PROFILE[4:128] + struct.pack(">I", count + 1) + moved + body + noise
    return struct.pack(">I", len(whole) + 4) + whole


def linear(image: Image.Image) -> Image.Image:
    """The same picture in linear light."""
    levels = np.asarray(image) / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return Image.fromarray(np.round(light * 255).astype(np.uint8))


def sixteen(*, key_near: bool = False) -> bytes:
    """A PNG of 16 bits a channel, half of it see-through; the other half is the same but for its
    low bytes."""
    key = struct.pack(">HHH", 0x0034, 0x5678, 0x9ABC)
    near = struct.pack(">HHH", 0x0035, 0x5678, 0x9ABC)
    other = near if key_near else struct.pack(">HHH", 0xC000, 0x2000, 0x2000)
    rows = (b"\0" + key * 96) * 64 + (b"\0" + other * 96) * 64
    return png_file(96, 128, rows, depth=16, before=((b"tRNS", key),))


@dataclass(frozen=True)
class Odd:
    """A kind of photo; `but` is why it is not shown as Chromium shows it, if so."""

    make: Callable[[], bytes]
    but: str = ""


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
_XMP_NAME = b"XML:com.adobe.xmp\0"
_HISTORY = b"history " * MANY
_CAMERAS = "turned, as cameras that write so mean it; Chromium leaves it lying"

ODD: dict[str, Odd] = {
    "JPEG": Odd(jpeg),
    "JPEG, progressive": Odd(lambda: jpeg(progressive=True)),
    "JPEG, CMYK": Odd(lambda: jpeg(patches().convert("CMYK"))),
    "JPEG without its end marker": Odd(
        lambda: jpeg()[:-2], "whole; Chromium leaves its last rows white"
    ),
    "JPEG that lacks its last 20 bytes": Odd(lambda: jpeg(patches().resize((960, 1280)))[:-20]),
    "JPEG, progressive, without its last third": Odd(
        lambda: (data := jpeg(patches().resize((960, 1280)), progressive=True))[
            : len(data) * 2 // 3
        ]
    ),
    "JPEG with a short Adobe segment": Odd(lambda: segment(0xEE, b"Adobe")),
    "JPEG with zeros between segments": Odd(
        lambda: (data := jpeg())[: (at := data.index(b"\xff\xdb"))] + bytes(3) + data[at:]
    ),
    "JPEG with a profile of 1.5 MB": Odd(lambda: jpeg(icc_profile=profile_of_size(1_500_000))),
    "JPEG, orientation in EXIF": Odd(lambda: jpeg(exif=exif(6))),
    "JPEG, orientation as a long": Odd(lambda: jpeg(exif=exif(6, "I")), _CAMERAS),
    "JPEG, orientation as a byte": Odd(lambda: jpeg(exif=exif(6, "B")), _CAMERAS),
    "JPEG, orientation in XMP alone": Odd(lambda: jpeg(xmp=XMP)),
    "PNG": Odd(png),
    "PNG with a profile of 1.5 MB": Odd(
        lambda: encode(patches(), "PNG", icc_profile=profile_of_size(1_500_000))
    ),
    "PNG with 2 MB of compressed text (zTXt)": Odd(
        lambda: png(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(_HISTORY)))
    ),
    "PNG with 2 MB of compressed XMP (iTXt)": Odd(
        lambda: png(chunk(b"iTXt", _XMP_NAME + b"\1\0\0\0" + zlib.compress(_HISTORY)))
    ),
    "PNG with 2 MB of plain XMP (iTXt)": Odd(
        lambda: png(chunk(b"iTXt", _XMP_NAME + b"\0\0\0\0" + _HISTORY))
    ),
    "PNG with a broken profile": Odd(lambda: png(chunk(b"iCCP", b"icc\0\0notzlib"))),
    "PNG, wrong checksum of a time": Odd(
        lambda: png(chunk(b"tIME", struct.pack(">HBBBBB", 2024, 1, 1, 1, 1, 1), wrong=True))
    ),
    "PNG, wrong checksum of a text": Odd(
        lambda: png(chunk(b"tEXt", b"Software\0shop", wrong=True))
    ),
    "PNG, wrong checksum of its gamma": Odd(
        lambda: png(chunk(b"gAMA", struct.pack(">I", 100_000), wrong=True))
    ),
    "PNG without its end": Odd(lambda: png()[:-12]),
    "PNG, gamma 1.0": Odd(
        lambda: png(chunk(b"gAMA", struct.pack(">I", 100_000)), image=linear(patches()))
    ),
    "PNG, gamma 1/2.2": Odd(lambda: png(chunk(b"gAMA", struct.pack(">I", 45_455)))),
    "PNG, gamma 1/2.2 and sRGB's primaries": Odd(
        lambda: png(
            chunk(b"gAMA", struct.pack(">I", 45_455)),
            chunk(
                b"cHRM",
                struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
            ),
        )
    ),
    "PNG, gamma 1/1.8": Odd(lambda: png(chunk(b"gAMA", struct.pack(">I", 55_556)))),
    "PNG, gamma and Adobe RGB's primaries": Odd(
        lambda: png(
            chunk(b"gAMA", struct.pack(">I", 45_455)),
            chunk(
                b"cHRM",
                struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000),
            ),
        )
    ),
    "PNG, gamma beside sRGB": Odd(
        lambda: png(chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000)))
    ),
    "PNG, Display P3 by cICP": Odd(lambda: png(chunk(b"cICP", bytes((12, 13, 0, 1))))),
    "PNG, PQ by cICP": Odd(lambda: png(chunk(b"cICP", bytes((9, 16, 0, 1))))),
    "PNG, 16 bits, a color see-through": Odd(sixteen),
    "PNG, 16 bits, a color beside it": Odd(lambda: sixteen(key_near=True)),
    "PNG, orientation in XMP alone": Odd(lambda: png(chunk(b"iTXt", _XMP_NAME + bytes(4) + XMP))),
    "PNG, orientation in EXIF": Odd(lambda: png(chunk(b"eXIf", exif(6)[6:]))),
    "WebP": Odd(lambda: encode(patches(), "WEBP", quality=95)),
    "WebP that says a wrong length": Odd(
        lambda: (
            (data := encode(patches(), "WEBP", quality=95))[:4]
            + struct.pack("<I", len(data) + 400)
            + data[8:]
        ),
        "shown, because all of it is there; Chromium waits for more",
    ),
    "WebP, orientation in EXIF": Odd(
        lambda: encode(patches(), "WEBP", quality=95, exif=exif(6)[6:]),
        "turned, as other viewers do; Chromium leaves it lying",
    ),
    "GIF": Odd(lambda: encode(palette(), "GIF")),
    "GIF, a color see-through": Odd(lambda: encode(palette(), "GIF", transparency=0)),
    "GIF of two frames": Odd(
        lambda: encode(palette(), "GIF", save_all=True, append_images=[patches().quantize(9)])
    ),
    "BMP": Odd(lambda: encode(patches(), "BMP")),
    "BMP of a palette": Odd(lambda: encode(palette(), "BMP")),
    "BMP, gray": Odd(lambda: encode(patches().convert("L"), "BMP")),
    "BMP, 32 bits": Odd(lambda: encode(patches().convert("RGBA"), "BMP")),
    "AVIF": Odd(avif),
    "AVIF, orientation": Odd(lambda: encode(patches(), "AVIF", quality=95, exif=exif(6))),
    "AVIF, brands miaf and mif2": Odd(
        lambda: branded(avif(), b"mif2", b"miaf"),
        "shown, because its picture is AV1; Chromium wants the brand avif",
    ),
    "AVIF led by miaf": Odd(lambda: branded(avif(), b"miaf", b"avif")),
    "AVIF, Display P3": Odd(lambda: avif(12, 13)),
    "AVIF, BT.2020": Odd(lambda: avif(9, 1)),
    "AVIF, linear light": Odd(lambda: avif(1, 8)),
    "AVIF, gamma 2.2": Odd(lambda: avif(1, 4)),
    "AVIF, PQ": Odd(lambda: avif(9, 16)),
    "AVIF, PQ, Display P3": Odd(lambda: avif(12, 16)),
    "AVIF, HLG": Odd(lambda: avif(9, 18)),
}
