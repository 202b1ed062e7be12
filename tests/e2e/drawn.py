"""How a browser shows a file: drawn over white on a canvas, its pixels read back."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

# An element, because it shows what there is of a file that is cut off.
_DRAW = """async (text) => {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes]));
  const shown = new Promise((done) => {
    image.onload = () => done(true);
    image.onerror = () => done(false);
  });
  if (!(await shown)) return null;
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  const levels = context.getImageData(0, 0, width, height).data;
  let signs = "";
  for (let at = 0; at < levels.length; at += 30_000)
    signs += String.fromCharCode(...levels.subarray(at, at + 30_000));
  return [width, height, btoa(signs)];
}"""


def drawn(page: Page, photo: bytes) -> NDArray[np.uint8] | None:
    """(height, width, 3) uint8; None where the browser does not show it."""
    found = page.evaluate(_DRAW, base64.b64encode(photo).decode())
    if found is None:
        return None
    width, height, signs = found
    levels = np.frombuffer(base64.b64decode(signs), np.uint8)
    return levels.reshape(height, width, 4)[..., :3]
