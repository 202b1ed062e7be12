"""The embed function: catalog events in, segments and thumbnails out."""
