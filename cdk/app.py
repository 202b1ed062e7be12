"""The CDK app: reads the environment and the context, and synthesizes the stack."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from aws_cdk import App, Environment

from cdk.assets import Assets
from cdk.config import ConfigError, config_from
from cdk.stack import ImageLensStack

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Synthesize; a wrong setting or a missing file gives one line on standard error."""
    app = App()
    try:
        config = config_from(app.node.get_all_context())
        ImageLensStack(
            app,
            config=config,
            assets=Assets.of(ROOT, config),
            env=Environment(
                account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
                region=os.environ.get("CDK_DEFAULT_REGION"),
            ),
        )
    except ConfigError as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
