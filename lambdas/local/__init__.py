"""This machine as the platform: the `lens` command and the same handlers on local files."""
