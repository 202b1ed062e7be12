"""WooCommerce's columns: the export writes them in the language of who exports, English, German,
French and Spanish are known.

As shops' own exports of 2023 to 2026 have them; the values below them are the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# By the English name, in lower case: German, French, Spanish.
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "type": ("Typ", "Tipo"),
    "sku": ("Artikelnummer", "Art.-Nr.", "UGS", "Référence"),
    "name": ("Nom", "Nombre"),
    "published": ("Veröffentlicht", "Publié", "Publicado"),
    "visibility in catalog": (
        "Sichtbarkeit im Katalog",
        "Katalogsichtbarkeit",
        "Visibilité dans le catalogue",
        "Visibilidad en el catálogo",
    ),
    "short description": ("Kurzbeschreibung", "Description courte", "Descripción corta"),
    "description": ("Beschreibung", "Descripción"),
    "in stock?": (
        "Vorrätig?",
        "Auf Lager?",
        "En stock ?",
        "En inventaire ?",
        "¿Existencias?",
        "¿En inventario?",
    ),
    "sale price": ("Angebotspreis", "Tarif promo", "Prix promo", "Precio rebajado"),
    "date sale price starts": (
        "Datum, an dem Angebotspreis beginnt",
        "Datum, an dem der Angebotspreis beginnt",
        "Angebotspreis gültig ab",
        "Date de début de promo",
        "Día en que empieza el precio rebajado",
    ),
    "date sale price ends": (
        "Datum, an dem Angebotspreis endet",
        "Datum, an dem der Angebotspreis endet",
        "Angebotspreis gültig bis",
        "Date de fin de promo",
        "Día en que termina el precio rebajado",
    ),
    "regular price": (
        "Regulärer Preis",
        "Normaler Preis",
        "Tarif régulier",
        "Prix régulier",
        "Precio normal",
        "Precio regular",
    ),
    "categories": ("Kategorien", "Catégories", "Categorías"),
    "images": ("Bilder", "Imágenes"),
    "parent": ("Übergeordnetes Produkt", "Superior"),
    "external url": ("Externe URL", "URL externe", "URL externa"),
    "brands": ("Marken", "Marques", "Marcas"),
}
_ATTRIBUTES = {
    "name": (r"attribut (\d+) name", r"nom de l'attribut (\d+)", r"nombre del atributo (\d+)"),
    "value(s)": (
        r"attribut (\d+) wert\(e\)",
        r"valeur\(s\) de l'attribut (\d+)",
        r"valor\(es\) del atributo (\d+)",
    ),
}


@lru_cache(1_024)
def in_english(column: str) -> str:
    """A column's English name, in lower case; itself where it is none that is known."""
    plain = _plain(column)
    for what, patterns in _ATTRIBUTES.items():
        for pattern in patterns:
            if found := re.fullmatch(pattern, plain):
                return f"attribute {found[1]} {what}"
    return _ENGLISH.get(plain, column)


def _plain(column: str) -> str:
    """French sets a hard blank before a question mark, and one of two apostrophes."""
    return re.sub(r"\s*\?", "?", " ".join(column.replace("’", "'").lower().split()))


_ENGLISH = {_plain(other): english for english, others in _OTHERS.items() for other in others}
