"""The domain of Image Lens: from catalog photos to a gallery that is searched by photo."""
