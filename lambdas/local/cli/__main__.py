"""The `lens` command as `python -m lambdas.local.cli`."""

import sys

from lambdas.local.cli.arguments import main

sys.exit(main())
