"""The `lens` command."""

from lambdas.local.cli.arguments import main

__all__ = ["main"]
