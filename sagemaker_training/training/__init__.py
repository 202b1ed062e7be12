"""The training program: from photos and a recipe to a model that can be served."""
