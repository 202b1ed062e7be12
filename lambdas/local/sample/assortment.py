"""The assortment: which products the sample shop sells, their cuts, fabrics and colors."""

from dataclasses import dataclass, replace

from lambdas.local.sample.fabrics import COLORS, Fabric
from lambdas.local.sample.tops import Cut

VIEWS = ("1_front", "2_side", "3_back", "4_full", "7_additional")  # of each color


@dataclass(frozen=True)
class Product:
    """A product, in every color it is sold in."""

    category: str
    cut: Cut
    pattern: str
    weave: str
    pitch: float
    colorways: tuple[str, ...]
    """Names of COLORS: ground, accent, trim, second, third; the later ones may be left out."""

    def fabrics(self, colorway: str) -> dict[str, Fabric]:
        names = colorway.split()
        ground, accent, trim, second, third = (
            COLORS[names[k]] if k < len(names) else None for k in range(5)
        )
        assert ground is not None
        accent = accent or COLORS["white"]
        main = Fabric(
            ground, accent, third or second or ground, self.pattern, self.weave, self.pitch
        )
        ribbed = self.weave in ("knit", "cable", "fleece") or self.cut.kind in ("tee", "beanie")
        same = replace(main, pattern="plain" if ribbed else self.pattern)
        bare = replace(main, pattern="plain", weave="jersey")
        trim_cloth = replace(same, ground=trim, pattern="plain") if trim else same
        if ribbed:
            trim_cloth = replace(trim_cloth, weave="rib")
        dark = sum(ground) < 330
        solid = {
            "print": accent,
            "second": second or trim or accent,
            "label": COLORS["white"],
            "lace": COLORS["white"],
            "sole": COLORS["white"],
            "rubber": COLORS["gum"],
            "wood": COLORS["wood"],
            "hardware": COLORS["brass" if self.category.endswith("Bags") else "steel"],
            "button": COLORS["espresso"]
            if self.cut.kind == "coat"
            else COLORS["silver" if dark else "ivory"],
        }
        weave = {"hardware": "smooth", "sole": "smooth", "button": "smooth"}
        fabrics = {
            name: replace(bare, ground=color, weave=weave.get(name, "jersey"))
            for name, color in solid.items()
        }
        return fabrics | {"main": main, "trim": trim_cloth, "lining": bare}


def _sold(category: str, cut: Cut, fabric: str, *colorways: str, pitch: float = 6.0) -> Product:
    weave, _, pattern = fabric.partition(", ")
    return Product(category, cut, pattern or "plain", weave, pitch, colorways)


W, M = "WOMEN/", "MEN/"

ASSORTMENT: tuple[Product, ...] = (
    _sold(M + "Tees_Tanks", Cut("tee", 0.25, 0.7), "jersey", "white", "black"),
    _sold(M + "Tees_Tanks", Cut("tee", 0.25, 0.75, trim="pocket"), "jersey", "navy", "sage"),
    _sold(M + "Tees_Tanks", Cut("tee", 0.28, 0.8, trim="print sun"),
          "jersey", "butter coral", "ice petrol"),
    _sold(M + "Tees_Tanks", Cut("tee", 0.26, 0.8, trim="print peaks"),
          "jersey", "cream forest cream mustard"),
    _sold(M + "Tees_Tanks", Cut("tee", 0.3, 0.9, 0.25),
          "jersey, block", "ivory sage ivory forest forest", pitch=12),
    _sold(W + "Tees_Tanks", Cut("tee", 0.15, 0.3, 0.55, neck="boat"),
          "jersey, breton", "white navy", pitch=4.4),
    _sold(W + "Tees_Tanks", Cut("tee", 0.18, 0.35, 0.12, neck="boat"),
          "jersey, stripes", "white red", pitch=4.4),
    _sold(W + "Tees_Tanks", Cut("tee", 0.1, 0.2, 0.1, neck="v"), "jersey", "blush"),
    _sold(W + "Tees_Tanks", Cut("tee", 0.12, 0.2, 0.0, neck="scoop"), "jersey", "sage"),
    _sold(W + "Tees_Tanks", Cut("tee", 0.08, 0.5, 0.1, trim="print arch"),
          "jersey", "white coral white mustard"),
    _sold(M + "Shirts_Polos", Cut("shirt", 0.35, 0.6, 0.98, trim="pocket"),
          "linen", "white", "sky"),
    _sold(M + "Shirts_Polos", Cut("shirt", 0.35, 0.55, 0.98),
          "linen, pinstripe", "white cobalt", pitch=2.4),
    _sold(M + "Shirts_Polos", Cut("shirt", 0.35, 0.7, 0.98, trim="pockets"),
          "tweed, plaid", "red black red cream", pitch=11),
    _sold(M + "Shirts_Polos", Cut("shirt", 0.3, 0.7, 0.2, trim="pocket"),
          "linen, leaves", "petrol sage petrol apricot", pitch=9),
    _sold(M + "Shirts_Polos", Cut("shirt", 0.25, 0.55, 0.15, trim="polo"),
          "jersey", "forest white cream"),
    _sold(W + "Blouses_Shirts", Cut("shirt", 0.28, 0.35, 0.96),
          "linen, gingham", "white rose", pitch=3.2),
    _sold(W + "Blouses_Shirts", Cut("shirt", 0.2, 0.3, 0.3),
          "linen, dots", "navy white", pitch=3.6),
    _sold(W + "Blouses_Shirts", Cut("shirt", 0.22, 0.45, 0.96), "smooth", "ivory"),
    _sold(M + "Sweatshirts_Hoodies", Cut("knit", 0.3, 0.8, 1.0, trim="hood"),
          "fleece", "gray white", "olive cream"),
    _sold(M + "Sweatshirts_Hoodies", Cut("knit", 0.3, 0.85, 1.0, trim="hood zip"),
          "fleece", "navy white navy charcoal"),
    _sold(M + "Sweatshirts_Hoodies", Cut("knit", 0.22, 0.8, 1.0, trim="print bar"),
          "fleece", "silver wine"),
    _sold(W + "Sweatshirts_Hoodies", Cut("knit", 0.08, 0.75, 1.0, trim="hood"),
          "fleece", "lilac white"),
    _sold(M + "Sweaters", Cut("knit", 0.22, 0.6, 1.0),
          "knit, fair isle", "petrol cream petrol coral", "wine cream wine sky"),
    _sold(M + "Sweaters", Cut("knit", 0.22, 0.6, 1.0, neck="high"), "knit", "charcoal"),
    _sold(M + "Sweaters", Cut("knit", 0.24, 0.65, 1.0),
          "knit, chest band", "sand navy sand rust", pitch=13),
    _sold(W + "Sweaters", Cut("knit", 0.14, 0.6, 1.0), "cable", "cream"),
    _sold(W + "Sweaters", Cut("knit", 0.12, 0.7, 0.95, neck="high"), "cable", "ivory"),
    _sold(W + "Sweaters", Cut("knit", 0.12, 0.5, 0.98, neck="v"),
          "knit, stripes", "mint white mint", pitch=9),
    _sold(W + "Cardigans", Cut("knit", 0.14, 0.45, 0.98, neck="v", trim="open"),
          "knit", "mustard", "plum"),
    _sold(W + "Cardigans", Cut("knit", 0.32, 0.6, 1.0, neck="v", trim="open"), "cable", "gray"),
    _sold(W + "Dresses", Cut("dress", 0.35, 0.4, 0.12, 0.9, "v", "flared belt"),
          "smooth, floral", "navy rose navy coral sage", "ivory coral ivory sage sage", pitch=8),
    _sold(W + "Dresses", Cut("dress", 0.25, 0.4, 0.0, 0.8, "scoop", "flared"),
          "linen, gingham", "white cobalt", pitch=3.6),
    _sold(W + "Dresses", Cut("dress", 0.3, 0.4, 0.1, 0.85, "crew", "flared belt"),
          "smooth, dots", "red white red black", "forest cream forest cream", pitch=4.6),
    _sold(W + "Dresses", Cut("dress", 0.55, 0.3, 0.2, 0.25, "straps"), "smooth", "sage"),
    _sold(W + "Dresses", Cut("dress", 0.7, 0.5, 0.2, 0.6, "straps", "tiered"),
          "linen, floral", "butter white butter coral sage", pitch=6),
    _sold(W + "Dresses", Cut("dress", 0.1, 0.5, 0.3, 0.35, "boat"),
          "jersey, breton", "white navy", pitch=5),
    _sold(W + "Dresses", Cut("dress", 0.5, 0.45, 0.5, 0.6, "v", "flared buttons"),
          "linen", "rust cream"),
    _sold(W + "Skirts", Cut("skirt", 0.45, 0.4, flare=0.9, trim="pleats"), "smooth", "camel"),
    _sold(W + "Skirts", Cut("skirt", 0.05, 0.5, flare=0.3, trim="buttons"), "denim", "denim camel"),
    _sold(W + "Skirts", Cut("skirt", 0.3, 0.4, flare=0.75),
          "smooth, floral", "black blush black coral sage", pitch=6),
    _sold(W + "Skirts", Cut("skirt", 0.1, 0.4, flare=0.35, trim="pockets"),
          "tweed, plaid", "camel espresso camel cream", pitch=9),
    _sold(W + "Denim", Cut("trousers", 0.92, 0.1, flare=0.05, trim="denim"),
          "denim", "indigo camel", "sky camel"),
    _sold(W + "Denim", Cut("trousers", 0.9, 0.3, flare=0.75, trim="denim"), "denim", "denim camel"),
    _sold(M + "Denim", Cut("trousers", 0.95, 0.6, flare=0.3, trim="denim"),
          "denim", "indigo camel"),
    _sold(M + "Denim", Cut("trousers", 0.95, 0.4, flare=0.2, trim="denim"), "denim", "denim camel"),
    _sold(M + "Pants", Cut("trousers", 0.92, 0.45, flare=0.15), "twill", "sand"),
    _sold(M + "Pants", Cut("trousers", 0.9, 0.6, flare=0.1, trim="jogger cargo"), "twill", "olive"),
    _sold(W + "Pants", Cut("trousers", 0.9, 0.6, flare=0.9, trim="crease"),
          "linen, pinstripe", "ivory camel", pitch=4),
    _sold(M + "Shorts", Cut("trousers", 0.16, 0.6, flare=0.5), "twill", "sand"),
    _sold(M + "Shorts", Cut("trousers", 0.18, 0.7, flare=0.7, trim="jogger"),
          "fleece", "gray white"),
    _sold(W + "Jackets_Coats", Cut("coat", 0.75, 0.5, 1.0, 0.4, trim="lapels double"),
          "tweed", "camel"),
    _sold(W + "Jackets_Coats", Cut("coat", 0.8, 0.4, 1.0, 0.7, trim="lapels double belt"),
          "smooth", "sand"),
    _sold(W + "Jackets_Coats", Cut("coat", 0.12, 0.35, 0.98, 0.1, trim="denim"),
          "denim", "sky camel"),
    _sold(M + "Jackets_Vests", Cut("coat", 0.15, 0.8, 1.0, 0.0, trim="bomber zip"),
          "smooth", "olive white forest", "black white charcoal"),
    _sold(M + "Jackets_Vests", Cut("coat", 0.3, 0.9, 1.0, 0.1, trim="zip hood"),
          "quilt", "cobalt white cobalt navy"),
    _sold(M + "Jackets_Vests", Cut("coat", 0.35, 0.6, 1.0, 0.1, trim="lapels"),
          "tweed, windowpane", "charcoal gray", pitch=9),
    _sold(W + "Shoes", Cut("sneakers", 0.0, 0.4, trim="patch"),
          "smooth", "white sage white sage", "white rose white rose"),
    _sold(M + "Shoes", Cut("sneakers", 0.9, 0.2, trim="toe patch"),
          "canvas", "black white black black"),
    _sold(M + "Shoes", Cut("sneakers", 0.1, 0.9, trim="overlay swoosh"),
          "jersey", "silver coral gray petrol"),
    _sold(M + "Shoes", Cut("sneakers", 0.0, 0.3, trim="overlay bars"),
          "canvas", "cobalt white cobalt navy"),
    _sold(W + "Bags", Cut("tote", 0.5, 0.5, flare=0.5, trim="print"),
          "linen", "cream petrol cream camel"),
    _sold(W + "Bags", Cut("tote", 0.3, 0.8, flare=0.2, trim="base"),
          "linen, bold stripe", "white navy white tan", pitch=7),
    _sold(W + "Bags", Cut("handbag", 0.2, 0.3, flare=0.5, trim="round"),
          "smooth", "tan white tan cocoa", "wine white wine wine"),
    _sold(W + "Bags", Cut("handbag", 0.6, 0.1, flare=0.9, trim="deep tassel"),
          "smooth", "black white black black"),
    _sold(M + "Hats", Cut("cap", 0.5, trim="badge"), "twill", "navy cream navy camel"),
    _sold(M + "Hats", Cut("cap", 0.3, trim="contrast letter"),
          "twill", "ivory forest ivory forest"),
    _sold(M + "Hats", Cut("beanie", 0.3, 0.5), "rib", "rust camel"),
    _sold(W + "Hats", Cut("beanie", 0.6, 0.6, trim="pom"), "cable", "cream camel cream blush"),
)  # fmt: skip
