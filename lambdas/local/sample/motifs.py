"""Motifs: what is printed on the chest of a tee or a sweatshirt."""

import numpy as np

from lambdas.local.sample.outlines import Panel, Points, band, box, curve, oval


def motif(name: str) -> list[Panel]:
    """The panels of a motif: flat ink, without an edge or a shadow. An unknown name is none."""
    y = 44.0

    def flat(outline: Points, cloth: str = "print") -> Panel:
        return Panel(outline, cloth, lift=0.0, bulge=0.0)

    match name:
        case "sun":
            waves = [
                flat(band(curve(*[(x, y + d + (i % 2) * 1.6) for i, x in enumerate(
                    np.linspace(-8 + d / 3, 8 - d / 3, 7))]), 1.1), "main")
                for d in (1.5, 4.2, 6.9)
            ]  # fmt: skip
            return [flat(oval(0, y, 9, 9)), *waves]
        case "peaks":
            far = np.array([(-11, y + 7), (-3, y - 6), (2, y + 1), (6, y - 4), (12, y + 7)])
            snow = np.array([(-3, y - 6), (-5.1, y - 2.6), (-3, y - 3.6), (-0.7, y - 2.4)])
            return [flat(oval(6, y - 7, 3, 3), "second"), flat(far), flat(snow, "label")]
        case "arch":
            bows = []
            for r, cloth in ((9.0, "print"), (6.2, "second"), (3.4, "print")):
                turn = np.linspace(np.pi, 2 * np.pi, 30)
                arc = np.stack([r * np.cos(turn), y + 5 + r * np.sin(turn)], 1)
                bows.append(flat(band(arc, 1.9), cloth))
            return bows
        case "bar":
            return [flat(box(-12, 42, 12, 47, 2.5)), flat(box(-9, 44, 9, 45, 0.5), "main")]
        case _:
            return []
