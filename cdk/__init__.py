"""The deployment: one stack, one construct per file."""

import os
import sys
from pathlib import Path

# CDK's library runs on Node. Use the Node of this Python environment, not another on this machine.
if (_node := Path(sys.executable).with_name("node")).exists():
    os.environ.setdefault("JSII_NODE", str(_node))
