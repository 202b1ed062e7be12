"""The compact function: advanced heads in; short tails and snapshots with a FAISS index out."""
