"""Train a model that finds a garment by its photo.

On this machine, into a folder of its own:

    python sagemaker_training/train.py --preset laptop --data PHOTOS --output runs/laptop-0 --seed 0

On all GPUs of a machine:

    torchrun --nproc_per_node 8 sagemaker_training/train.py --preset inshop --data ...

A run that was stopped (Ctrl-C, SIGTERM) or killed resumes from its last checkpoint with the same
command, and gives the same result as one that was not.

On SageMaker, in script mode, the channel `training` has the photos, and the optional channel
`backbone` a folder with pretrained weights. Every option is a hyperparameter. Every field of a
recipe (training/presets.py) is an option too: --epochs 20 --lr 1e-5 --tuning lora.

PHOTOS is DeepFashion In-Shop as it is downloaded (list_eval_partition.txt beside img/), or any
folder with a folder of photos per item, or either of them as shards (lens/photos/shards.py). The
output folder gets:

    checkpoints/epoch_{n}.pth, best_model.pth    run.json    report.html    tensorboard/
    artifacts/models/{model_id}/                 the model, ready for `lens promote`

exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped (run it again to resume)
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from lens.errors import LensError, UsageError
from training.loop.stopping import on_signals
from training.presets import PRESETS, Recipe, recipe_of

# What imports torch is imported inside functions: `train.py --help` must not wait for torch.
if TYPE_CHECKING:
    from training.delivery.runs import Job


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line and the environment say; an error is printed as one line."""
    options = _parser(os.environ).parse_args(arguments)
    try:
        job, recipe = _job(options)
        from training.job import run_job
        from training.loop.trainer import InterruptedRunError
    except UsageError as error:
        return _fail(error, 2)
    # Makes CUDA's matrix products deterministic; it must be set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    stopping = on_signals()
    try:
        run_job(job, recipe, os.environ, stopping)
    except InterruptedRunError as error:
        return _fail(error, 130)
    except UsageError as error:
        return _fail(error, 2)
    except (LensError, OSError) as error:
        return _fail(error, 1)
    return 0


def _job(options: argparse.Namespace) -> tuple[Job, Recipe]:
    from training.delivery.runs import Job

    changes = {
        field.name: getattr(options, field.name)
        for field in fields(Recipe)
        if getattr(options, field.name, None) is not None
    }
    if options.data is None:
        raise UsageError("name the photos: --data FOLDER")
    if options.output is None:
        raise UsageError("name a folder for the results: --output FOLDER")
    return Job(
        data=options.data,
        output=options.output,
        checkpoints=options.checkpoints or options.output / "checkpoints",
        cache=options.cache,
        artifacts=options.artifacts or str(options.output / "artifacts"),
        name=options.job,
        seed=options.seed,
        fold=options.fold,
        device=options.device,
        pretrained=options.weights == "pretrained",
        compare=options.compare,
        margin=options.gate_margin,
        test=options.score == "test",
    ), recipe_of(options.preset, changes)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )

    def folder(name: str, variable: str | None, text: str) -> None:
        value = environment.get(variable) if variable else None
        parser.add_argument(name, type=Path, default=Path(value) if value else None, help=text)

    # On SageMaker it lies beside /opt/ml/model: where the job's CheckpointConfig says.
    model = environment.get("SM_MODEL_DIR")
    parser.add_argument("--preset", default="laptop", choices=list(PRESETS))
    folder("--data", "SM_CHANNEL_TRAINING", "the photos (SM_CHANNEL_TRAINING)")
    folder("--output", "SM_MODEL_DIR", "the results (SM_MODEL_DIR)")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path(model).with_name("checkpoints") if model else None,
        help="(/opt/ml/checkpoints on SageMaker, else in the output)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "lens-training",
        help="decoded photos (%(default)s)",
    )
    parser.add_argument("--artifacts", help="folder or s3://bucket to write the model to")
    parser.add_argument(
        "--job",
        default=environment.get("TRAINING_JOB_NAME", "local"),
        help="names training/{job}/ in the artifacts",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fold", type=int, default=0, help="which fold of items is held out (0)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="(a GPU if there is one)")
    parser.add_argument("--weights", choices=("pretrained", "random"), default="pretrained")
    parser.add_argument(
        "--score",
        choices=("test", "validation"),
        default="test",
        help="the part scored at the end; choose recipes by the validation part",
    )
    parser.add_argument("--compare", metavar="RUN", help="an earlier run to compare in the report")
    parser.add_argument(
        "--gate-margin",
        "--gate_margin",
        type=float,
        default=0.0,
        help="how far above the live model's Recall@1 it must be, as a fraction (0)",
    )
    recipe = parser.add_argument_group("fields of the recipe, instead of the preset's")
    kinds = get_type_hints(Recipe)
    for field in fields(Recipe):
        if field.name == "name":
            continue
        dashed = "--" + field.name.replace("_", "-")
        names = [dashed] if "_" not in field.name else [dashed, f"--{field.name}"]
        kind = kinds[field.name]
        recipe.add_argument(*names, type=_flag if kind is bool else _number_or_text(kind))
    parser.set_defaults(backbone=environment.get("SM_CHANNEL_BACKBONE"))
    return parser


def _number_or_text(kind: Any) -> Any:
    return kind if kind in (int, float) else str


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _fail(error: object, code: int) -> int:
    print(f"train: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
