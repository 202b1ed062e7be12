"""Search: what answers photos, and what it keeps in memory."""
