"""The rollout function: tries a new version of search before shoppers reach it."""
