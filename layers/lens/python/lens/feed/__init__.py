"""The feed: what a shop's product file says about its products."""
