"""The networks that are trained, in torch: backbones, color statistics and the whole model."""
