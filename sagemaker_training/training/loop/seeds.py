"""Seeds: one generator seed from the numbers that say where a run stands.

Everything random in a step is seeded by the run's seed, the epoch and the step. So a checkpoint
stores no generator's state, and a resumed run draws what an uninterrupted one would.
"""

import numpy as np


def mixed_seed(*numbers: int) -> int:
    """Return one seed made of several numbers; neighboring numbers give unrelated seeds."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
