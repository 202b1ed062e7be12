"""What is deployed: one stack, one construct a file, in the pipeline's order."""

import os
import sys
from pathlib import Path

# CDK's library runs on Node: the environment's own, whatever else the machine has.
if (_node := Path(sys.executable).with_name("node")).exists():
    os.environ.setdefault("JSII_NODE", str(_node))
