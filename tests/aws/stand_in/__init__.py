"""A stand-in for the training program: it tests the connections and trains nothing."""
