"""Vision transformers: any vision backbone of `transformers`, by its name or its folder.

For DINOv2, training.export.dinov2_graph is the twin of VisionTransformer as an ONNX graph; the test
that holds the two equal is tests/sagemaker_training/export/test_dinov2_graph.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from lens.errors import UsageError
from lens.models.manifest import Preprocessing
from training.network.blank_patches import Blank

# ImageNet's mean and standard deviation, in gray levels: what most backbones expect.
_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
# (width, blocks, heads) of models that can be made with random weights without asking the hub.
_DINOV2 = {
    "facebook/dinov2-small": (384, 12, 6),
    "facebook/dinov2-base": (768, 12, 12),
    "facebook/dinov2-large": (1024, 24, 16),
}
_BLOCK_PARTS = ("norm1", "attention", "layer_scale1", "drop_path", "norm2", "mlp", "layer_scale2")


class VisionTransformer(nn.Module):
    """Pixels (N, 3, S, S) to features (N, F): the CLS token, or the model's own pooled output.

    In DINOv2's last block only the CLS token's row is computed, because no other row is used. The
    result is exact, and of the block's linear layers only keys and values (a sixth of the work) are
    computed for every token. `blank`, if given, tells which patches DINOv2 skips.
    """

    def __init__(self, model: Any, size: int, blank: Blank | None = None) -> None:
        super().__init__()
        self.model = model
        self.blank = blank
        self.width = int(model.config.hidden_size)
        self.cls_only = _is_dinov2(model)
        if self.cls_only:
            _fit_positions(model, size)
        for name, parameter in model.named_parameters():
            # No feature depends on these: DistributedDataParallel would wait for their gradients.
            if "mask_token" in name or (self.cls_only and name.startswith("pooler")):
                parameter.requires_grad_(False)

    @property
    def blocks(self) -> list[nn.Module]:
        """The transformer's blocks, from the first to the last."""
        lists = [module for module in self.model.modules() if isinstance(module, nn.ModuleList)]
        if not lists:
            raise UsageError(f"{type(self.model).__name__} has no blocks to choose: --tuning full")
        return max((list(found) for found in lists), key=len)

    def freeze_patches(self) -> None:
        """Keep the patch embedding as it was pretrained, as the In-Shop literature does."""
        for name, module in self.model.named_modules():
            if name.endswith("patch_embeddings"):
                module.requires_grad_(False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if not self.cls_only:
            output = self.model(pixels)
            pooled: torch.Tensor | None = getattr(output, "pooler_output", None)
            return output.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1)
        tokens, mask = self.model.embeddings(pixels), None
        if self.blank is not None:
            tokens, mask = _without_blank(tokens, ~self.blank(pixels))
        *lower, last = self.model.encoder.layer
        for block in lower:
            tokens = block(tokens, attention_mask=mask)
        return self.model.layernorm(_cls_of_block(last, tokens, mask))[:, 0]


def load_backbone(
    name: str, size: int, *, pretrained: bool, blank_from: int = 256
) -> tuple[VisionTransformer, Preprocessing]:
    """Return the backbone and its preprocessing.

    pretrained: False for random weights, as for measuring speed; DINOv2 then needs no hub.
    blank_from: the lowest gray level of a blank patch; 256: no patch is skipped. Raises UsageError
    if there is no such model, or if it cannot skip patches.
    """
    from transformers import AutoConfig, AutoModel, Dinov2Config
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        if pretrained:
            model = AutoModel.from_pretrained(name)
        elif name in _DINOV2:
            width, blocks, heads = _DINOV2[name]
            config = Dinov2Config(
                hidden_size=width,
                num_hidden_layers=blocks,
                num_attention_heads=heads,
                patch_size=14,
                image_size=518,
            )
            model = AutoModel.from_config(config)
        else:
            model = AutoModel.from_config(AutoConfig.from_pretrained(name))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot load {name} ({str(error).splitlines()[0]}): give a model's name on the hub, "
            "or a folder with a saved model"
        ) from error
    patch = getattr(model.config, "patch_size", None)
    if isinstance(patch, int) and size % patch:
        raise UsageError(f"{name} needs a size that is a multiple of {patch}, not {size}")
    model = getattr(model, "vision_model", model)  # of CLIP's two towers
    preprocessing = _preprocessing(name, size)
    if blank_from > 255:
        return VisionTransformer(model, size), preprocessing
    if not _is_dinov2(model):
        raise UsageError(f"{name} cannot skip patches: --blank-from 256")
    blank = Blank(preprocessing, patch=model.config.patch_size, level=blank_from)
    return VisionTransformer(model, size, blank), preprocessing


def _preprocessing(name: str, size: int) -> Preprocessing:
    """Return the normalization of the model's folder if it has one, else ImageNet's.

    The padding is a white that no photo's white equals, so that the color statistics recognize it.
    """
    mean, std = _IMAGENET
    if Path(name).is_dir() and (file := Path(name) / "preprocessor_config.json").exists():
        settings = json.loads(file.read_text())
        mean = tuple(255 * value for value in settings.get("image_mean", [])) or mean
        std = tuple(255 * value for value in settings.get("image_std", [])) or std
    return Preprocessing(size=size, fill=(255, 255, 254), mean=mean, std=std)


def _is_dinov2(model: Any) -> bool:
    layers = getattr(getattr(model, "encoder", None), "layer", None)
    return layers is not None and all(hasattr(layers[-1], part) for part in _BLOCK_PARTS)


def _fit_positions(model: Any, size: int) -> None:
    """Interpolate the position embeddings to this size once, instead of in every step."""
    embeddings = model.embeddings
    grid = size // model.config.patch_size
    if embeddings.position_embeddings.shape[1] - 1 == grid**2:
        return
    with torch.no_grad():
        patches = torch.empty(1, grid**2 + 1, model.config.hidden_size)
        positions = embeddings.interpolate_pos_encoding(patches, size, size)
    embeddings.position_embeddings = nn.Parameter(positions.clone())
    model.config.image_size = size
    embeddings.patch_embeddings.image_size = (size, size)
    embeddings.patch_embeddings.num_patches = grid**2


def _without_blank(tokens: torch.Tensor, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Remove the tokens of blank patches from tokens (N, 1 + P, F); `seen` (N, P) marks the others.

    Returns tokens (N, T, F), with T as the photo with the most needs it, and the attention mask
    (N, 1, 1, T): in the other photos, blank patches fill the last places and are masked.
    """
    seen = functional.pad(seen, (1, 0), value=True)
    count = int(seen.sum(dim=1).max())
    order = seen.int().argsort(dim=1, descending=True, stable=True)[:, :count]
    kept = tokens.gather(1, order.unsqueeze(2).expand(-1, -1, tokens.shape[2]))
    return kept, seen.gather(1, order)[:, None, None]


def _cls_of_block(block: Any, tokens: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Return the block's output for the first token alone, (N, 1, F).

    The other tokens are needed only as keys and values. The steps are those of transformers'
    Dinov2Layer.
    """
    attention = block.attention
    normed = block.norm1(tokens)
    first = tokens[:, :1]

    def heads(projected: torch.Tensor) -> torch.Tensor:
        return projected.unflatten(2, (-1, attention.head_dim)).transpose(1, 2)

    mixed = functional.scaled_dot_product_attention(
        heads(attention.q_proj(normed[:, :1])),
        heads(attention.k_proj(normed)),
        heads(attention.v_proj(normed)),
        attn_mask=mask,
        dropout_p=attention.attention_dropout if block.training else 0.0,
        scale=attention.scaling,
    )
    attended = attention.o_proj(mixed.transpose(1, 2).flatten(2))
    first = block.drop_path(block.layer_scale1(attended)) + first
    return block.drop_path(block.layer_scale2(block.mlp(block.norm2(first)))) + first
