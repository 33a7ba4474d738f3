"""Calls of the service without an SDK, which would refuse the requests itself."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0"
)


class Client:
    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self.connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)

    def call(self, operation: str, request: dict[str, Any]) -> tuple[int, str, str]:
        """Status, exception and message; the last two are empty for a success."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Kinesis_20131202.{operation}",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": AUTHORIZATION,
        }
        self.connection.request("POST", "/", json.dumps(request), headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            return 200, "", ""
        error = json.loads(body)
        return answer.status, error["__type"], error.get("message") or error.get("Message") or ""
