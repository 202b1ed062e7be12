"""Retention: how long and how many things are kept. Times in seconds, each built on those above."""

DAY = 86_400.0

# What nothing reaches is removed this long after the collector first saw it so.
GRACE = 1 * DAY
# A segment older than this is not applied, its keys are looked at again: the collector may be
# about to remove it, and what it saw may be long gone.
SEGMENT = GRACE / 2
# A tombstone outlives every segment that could bring its photo back, and by far: an event can
# wait 14 days in its queue and 14 more in the dead-letter queue (SQS's longest).
TOMBSTONE = 30 * DAY
# The newest commit's files hold what was deleted or replaced for so long, and then are folded
# without it, however small the tail is.
TAIL = 1 * DAY
# A commit is kept for so long after its successor was made, and what an earlier model found for so
# long after that model's last commit. A pin may not reach further back than the tombstones of the
# deletions since then.
PIN = TOMBSTONE - 2 * DAY
# A commit can be rolled back to while it is among this many newest ones of a retained model.
COMMITS = 20
# Earlier live models whose galleries are retained, so that `lens rollback` reaches them.
MODELS = 3
