"""What the shipped default model must find; set anew, with the model card, when a model is shipped.

The figures are those of docs/model-card.md, less what two queries are worth.
"""

# Recall@1 on storefront, as a fraction, by the protocol of `lens evaluate`.
RECALL_AT_1 = {"benchmark": 0.678, "strict": 0.666}

# Of a photo and the same photo in another file format, at least; see tests/lens/photos.
TWINS_SIMILARITY = 0.97
