"""The training program: from photos and a recipe to a delivered model."""
