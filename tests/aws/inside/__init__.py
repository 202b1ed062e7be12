"""What runs in the emulator's process: MiniStack, and what MiniStack lacks."""
