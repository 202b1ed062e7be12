"""A stand-in for the training program: it proves the wiring, and learns nothing."""
