"""The rollout handler: asks a new version for one search, and tells CodeDeploy how it went."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

log = logging.getLogger(__name__)

_BOUNDARY = "image-lens-rollout"
# What CloudFront brings its key in (lambdas/search/origin_wall.py).
_ORIGIN_HEADER = "x-lens-origin"
SUCCEEDED, FAILED = "Succeeded", "Failed"


class RolloutHandler:
    """`invoke` calls the new version with an event and gives its reply; `tell` reports one
    lifecycle event of a deployment as succeeded or failed; `key` is CloudFront's, where search
    answers nobody else."""

    def __init__(
        self,
        photo: bytes,
        invoke: Callable[[dict[str, Any]], Any],
        tell: Callable[[str, str, str], None],
        key: str = "",
    ) -> None:
        self._asked = search_event(photo, key)
        self._invoke = invoke
        self._tell = tell

    def __call__(self, event: Mapping[str, str], context: object = None) -> dict[str, str]:
        """CodeDeploy's calling convention: it waits for the status, and not for the reply."""
        status, wrong = SUCCEEDED, self._wrong()
        if wrong:
            status = FAILED
            log.error("the new version of search is not taken: %s", wrong)
        self._tell(event["DeploymentId"], event["LifecycleEventHookExecutionId"], status)
        return {"status": status, "wrong": wrong}

    def _wrong(self) -> str:
        """What is wrong with the version's answer; empty where a shopper would see hits."""
        try:
            reply = self._invoke(self._asked)
        except Exception as error:  # whatever it is, CodeDeploy must hear of it, not time out
            return f"it cannot be invoked: {error}"
        if not isinstance(reply, dict) or reply.get("statusCode") != 200:
            return f"it answered {json.dumps(reply)[:500]}"
        body = reply.get("body", "")
        if reply.get("isBase64Encoded"):
            body = base64.b64decode(body).decode()
        try:
            hits = json.loads(body)["hits"]
        except (ValueError, KeyError, TypeError):
            return f"its answer has no hits: {body[:500]}"
        log.info("the new version of search answered with %d hits", len(hits))
        return ""


def search_event(photo: bytes, key: str = "") -> dict[str, Any]:
    """What API Gateway sends of a search with this photo (payload format 2.0)."""
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()
    path = "/api/search-image"
    return {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "host": "rollout.invalid",
            "content-type": f"multipart/form-data; boundary={_BOUNDARY}",
            "content-length": str(len(body)),
            **({_ORIGIN_HEADER: key} if key else {}),
        },
        "requestContext": {
            "domainName": "rollout.invalid",
            "stage": "$default",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "image-lens-rollout",
            },
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
