"""The CDK app: reads the environment and the context, and synthesizes the stack."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from aws_cdk import App, Environment

from cdk.assets import Assets
from cdk.config import Config, ConfigError, config_from
from cdk.firewall import REGION, FirewallStack
from cdk.stack import ImageLensStack

ROOT = Path(__file__).parents[1]


def stacks(
    app: App, config: Config, assets: Assets, account: str | None, region: str | None
) -> ImageLensStack:
    """The stack, and the firewall's before it where one is asked for."""
    firewall = None
    if config.waf:
        if not (account and region):
            raise ConfigError("waf=true needs an account and a region: log in, and set AWS_REGION")
        firewall = FirewallStack(
            app,
            config=config,
            cross_region_references=True,
            env=Environment(account=account, region=REGION),
        )
    return ImageLensStack(
        app,
        config=config,
        assets=assets,
        web_acl_arn=firewall.arn if firewall else "",
        cross_region_references=config.waf,
        env=Environment(account=account, region=region),
    )


def main() -> int:
    """Synthesize; a wrong setting or a missing file gives one line on standard error."""
    app = App()
    try:
        config = config_from(app.node.get_all_context())
        account = os.environ.get("CDK_DEFAULT_ACCOUNT")
        region = os.environ.get("CDK_DEFAULT_REGION")
        stacks(app, config, Assets.of(ROOT, config), account, region)
    except ConfigError as error:
        print(f"cdk: {error}", file=sys.stderr)
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
