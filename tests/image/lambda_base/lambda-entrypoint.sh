#!/bin/sh
# AWS's starts its emulator here when there is no Runtime API to talk to.
export _HANDLER="$1"
exec python -m awslambdaric "$_HANDLER"
