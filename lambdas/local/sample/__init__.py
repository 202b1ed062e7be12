"""The sample catalog: a small shop that this project draws itself, photo by photo."""
