"""The probe: a function that makes one AWS call with a role of the stack and returns the result."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

_CODE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        getattr(client, event["operation"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""
"""


def probe(client: Any, function: str, service: str, operation: str, **arguments: Any) -> str:
    """Call AWS with the role of this function; the error's code, or "" if it succeeded."""
    role = client.get_function_configuration(FunctionName=function)["Role"]
    name = f"probe-{role.rpartition('/')[2]}"[:64]
    made = {each["FunctionName"] for each in _functions(client)}
    if name not in made:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("probe.py", _CODE)
        client.create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.13",
            Handler="probe.handler",
            Timeout=30,
            Code={"ZipFile": packed.getvalue()},
        )
    event = {"service": service, "operation": operation, "arguments": arguments}
    reply = client.invoke(FunctionName=name, Payload=json.dumps(event))
    answer = json.loads(reply["Payload"].read())
    assert isinstance(answer, str), answer
    return answer


def remove_probes(client: Any, logs: Any) -> None:
    """Delete the probes and their logs: they do not belong to the stack."""
    for name in [each["FunctionName"] for each in _functions(client)]:
        if name.startswith("probe-"):
            client.delete_function(FunctionName=name)
            logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")


def _functions(client: Any) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_functions").paginate()
    return [each for page in pages for each in page["Functions"]]
