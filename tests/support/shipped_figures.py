"""What the shipped default model must find; set anew, with the model card, when a model is shipped.

The figures are those of docs/model-card.md, less what two queries are worth.
"""

# Recall@1 on storefront, as a fraction, by the protocol of `lens evaluate`.
RECALL_AT_1 = {"benchmark": 0.678, "strict": 0.666}

# Of shoppers' photos, by part of the shopper protocol: the lower ends of the card's intervals.
SHOPPERS = {"composites": 0.46, "true box": 0.48, "kinds": 0.73, "street, first five": 0.73}

# Of a photo and the same photo in another file format, at least; see tests/lens/photos.
TWINS_SIMILARITY = 0.97
