"""The garment preset: one network for catalog photos and shoppers' photos."""
