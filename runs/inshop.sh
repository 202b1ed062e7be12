#!/usr/bin/env bash
# DeepFashion In-Shop, from the download to the table: three seeds of our recipe and three of the
# seed's, trained on SageMaker by a stack of their own. docs/training.md tells what it needs, what it
# costs and what was never run.
#
#   runs/inshop.sh FOLDER     a folder with img.zip and list_eval_partition.txt
set -euo pipefail

downloads=${1:?name the folder with img.zip and list_eval_partition.txt}
cd "$(dirname "$0")/.."
export LENS_STACK=Inshop
export PATH="$PWD/.venv/bin:$PATH"
photos=build/inshop
mkdir -p "$photos"
unzip -qn "$downloads/img.zip" -d "$photos" # 52,712 photos
cp "$downloads/list_eval_partition.txt" "$photos/"

# A stack of its own: a better model goes live.
make deploy CONTEXT="-c stack=$LENS_STACK -c removal=destroy"
artifacts=$(aws cloudformation describe-stacks --stack-name "$LENS_STACK" --output text \
  --query "Stacks[0].Outputs[?OutputKey=='ArtifactsLocation'].OutputValue")

for preset in inshop seed; do
  for seed in 0 1 2; do
    # The first one uploads the photos, packed into some 60 files; the others find them there.
    lens train --preset "$preset" --seed "$seed" --name "$preset-$seed" --upload "$photos"
  done
done

# The table: means, spread, paired bootstrap over queries.
aws s3 sync "$artifacts/training" build/runs --exclude '*' --include '*/run.json'
python sagemaker_training/compare.py \
  --ours build/runs/inshop-* --theirs build/runs/seed-*
