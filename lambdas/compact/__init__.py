"""The compact function: advanced heads in, short tails out."""
