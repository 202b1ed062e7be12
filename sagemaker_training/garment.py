"""Train the network that finds garments in photos: the default model, made again.

1. Label the photos, once. Two published networks help, which are no part of what is served; each
   lies in a folder of its own (docs/training.md says how it comes there):

    python sagemaker_training/garment.py label --data PHOTOS --shopper SHOPPER --output LABELS \\
        --saliency TEACHERS/saliency --pose TEACHERS/pose

2. Train:

    python sagemaker_training/garment.py train --labels LABELS --data PHOTOS --shopper SHOPPER \\
        --output runs/garment-0 --seed 0

A command that was stopped (Ctrl-C, SIGTERM) or killed goes on where it was with the same words. A
run that was resumed gives the same network as one that was not.

PHOTOS is a catalog in the layout of DeepFashion In-Shop: of a catalog with a partition file, only
the train part is trained on. SHOPPER is a folder of shoppers' photos: photos.csv with the columns
file and sender, photos in folders named like their labels, surfaces/ without garments. Senders that
are for measuring are left out. The output folder of a run gets:

    checkpoints/    run.json    tensorboard/
    artifacts/models/{model_id}/                 the model

3. Measure what its confidences and similarities are worth, and make it the default model:

    python sagemaker_training/garment.py calibrate --run runs/garment-0 --data PHOTOS \\
        --shopper SHOPPER
    python sagemaker_training/ship.py runs/garment-0/artifacts/models/MODEL

A plan's fields (training/garment/plan.py) are changed by --plan: one value for all phases, or one
for each, as in --plan lr=1e-3 size=160,224.

exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped (run it again to resume)
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lens.errors import LensError, UsageError
from lens.models.manifest import list_models, read_manifest
from lens.storage import open_storage
from training.garment.plan import PLANS, plan_of
from training.loop.stopping import on_signals

_STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Label or train as the command line says; an error is printed as one line."""
    options = _parser().parse_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "label": _label,
        "train": _train,
        "calibrate": _calibrate,
    }
    try:
        return commands[options.command](options)
    except UsageError as error:
        return _fail(error, 2)
    except (LensError, OSError) as error:
        return _fail(error, 1)


def _label(options: argparse.Namespace) -> int:
    from training.garment.labeling import label_photos
    from training.garment.teachers import Pose, Saliency

    saliency = Saliency(options.saliency)
    with Pose(options.pose) as pose:
        done = label_photos(
            options.data,
            options.shopper,
            options.output,
            saliency=saliency,
            pose=pose,
            say=lambda text: print(text, flush=True),
            stopping=on_signals(),
        )
    return 0 if done else _fail("stopped; the same command goes on", _STOPPED)


def _train(options: argparse.Namespace) -> int:
    plan = plan_of(options.preset, options.plan)
    # What imports torch is imported here: `garment.py --help` must not wait for torch.
    from training.garment.job import GarmentJob, run_garment
    from training.loop.trainer import InterruptedRunError

    job = GarmentJob(
        labels=options.labels,
        data=options.data,
        shopper=options.shopper,
        output=options.output,
        scenes=options.scenes,
        things=options.things,
        seed=options.seed,
        pretrained=options.weights == "pretrained",
        save_every=options.save_every,
    )
    try:
        run_garment(job, plan, os.environ, on_signals())
    except InterruptedRunError as error:
        return _fail(error, _STOPPED)
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from training.export.shares_graph import write_shares
    from training.garment.calibrate import calibrate_model

    artifacts = options.run / "artifacts"
    for model_id in list_models(open_storage(artifacts)):
        # A run of an earlier release has none.
        write_shares(open_storage(artifacts), read_manifest(open_storage(artifacts), model_id))
        found = calibrate_model(
            artifacts, model_id, options.data, options.shopper, options.scenes, options.things
        )
        print(f"{model_id}: {found.model_dump_json()}", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.add_argument("--data", type=Path, required=True, help="the catalog's photos")
        added.add_argument("--shopper", type=Path, required=True, help="shoppers' photos")
        return added

    label = command("label", "label the photos with the help of two published networks")
    label.add_argument("--output", type=Path, required=True, help="the folder for the labels")
    label.add_argument(
        "--saliency", type=Path, help="u2netp.onnx or the folder of rembg (else an installed rembg)"
    )
    label.add_argument(
        "--pose", type=Path, help="the folder of MediaPipe (else an installed MediaPipe)"
    )
    train = command("train", "train on labeled photos")
    calibrate = command("calibrate", "measure what a run's model is sure of")
    calibrate.add_argument("--run", type=Path, required=True, help="what `train` wrote")
    train.add_argument("--labels", type=Path, required=True, help="what `label` wrote")
    for each in (train, calibrate):
        each.add_argument("--scenes", type=Path, help="a folder of more photos without garments")
        each.add_argument("--things", type=Path, help="a folder of PNG cut-outs of other things")
    train.add_argument("--output", type=Path, required=True, help="the folder for the results")
    train.add_argument("--seed", type=_seed, default=0)
    train.add_argument("--preset", default="garment", choices=list(PLANS))
    train.add_argument("--plan", nargs="+", default=[], metavar="FIELD=VALUE")
    train.add_argument("--weights", choices=("pretrained", "random"), default="pretrained")
    train.add_argument(
        "--save-every", type=_count, default=100, metavar="STEPS", help="(%(default)s)"
    )
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _fail(error: object, code: int) -> int:
    print(f"garment: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
