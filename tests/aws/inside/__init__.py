"""The emulator's process: MiniStack, and replacements for what MiniStack lacks."""
