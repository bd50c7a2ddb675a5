"""Events of services that are less often behind a function: logs, topics of Kafka, sockets, user pools."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any, Literal

from runtimebuilder.events.web import ACCOUNT, REGION, SOURCE_IP, TIME_EPOCH_MS, USER_AGENT


def cloudwatch_logs(*lines: str, group: str = "/aws/lambda/orders") -> Mapping[str, Any]:
    """Lines of a log, handed over as gzip in base64. Shape: `SubscriptionFilters` of the CloudWatch Logs guide."""
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
        "subscriptionFilters": ["errors"],
        "logEvents": [
            {"id": f"{place:056d}", "timestamp": TIME_EPOCH_MS + place, "message": line}
            for place, line in enumerate(lines or ("[ERROR] something went wrong",))
        ],
    }
    packed = gzip.compress(json.dumps(data).encode(), mtime=0)
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


def kafka(*values: bytes, topic: str = "orders", partition: int = 0) -> Mapping[str, Any]:
    """Records of a topic in MSK, by `topic-partition`. Shape: `with-msk` of the Lambda guide."""
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/example/0a1b2c3d",
        "bootstrapServers": f"b-1.example.kafka.{REGION}.amazonaws.com:9092",
        "records": {
            f"{topic}-{partition}": [
                {
                    "topic": topic,
                    "partition": partition,
                    "offset": 15 + place,
                    "timestamp": TIME_EPOCH_MS + place,
                    "timestampType": "CREATE_TIME",
                    "key": base64.b64encode(b"key").decode(),
                    "value": base64.b64encode(value).decode(),
                    "headers": [{"kind": list(b"order")}],
                }
                for place, value in enumerate(values or (b"order",))
            ]
        },
    }


def websocket(
    kind: Literal["CONNECT", "MESSAGE", "DISCONNECT"] = "MESSAGE", body: str = "hello", *, stage: str = "prod"
) -> Mapping[str, Any]:
    """An event of a WebSocket API. Shape: `apigateway-websocket-api` of the API Gateway guide."""
    routes = {"CONNECT": "$connect", "MESSAGE": "$default", "DISCONNECT": "$disconnect"}
    context: dict[str, Any] = {
        "routeKey": routes[kind],
        "eventType": kind,
        "extendedRequestId": "JKJaXmPLvHcESHA=",
        "requestTime": "01/Jan/2026:00:00:00 +0000",
        "messageDirection": "IN",
        "stage": stage,
        "connectedAt": TIME_EPOCH_MS,
        "requestTimeEpoch": TIME_EPOCH_MS + 10,
        "identity": {"userAgent": USER_AGENT, "sourceIp": SOURCE_IP},
        "requestId": "JKJaXmPLvHcESHA=",
        "domainName": f"x0example.execute-api.{REGION}.amazonaws.com",
        "connectionId": "JKJaXexample0=",
        "apiId": "x0example",
    }
    event: dict[str, Any] = {"requestContext": context, "isBase64Encoded": False}
    if kind == "MESSAGE":
        context["messageId"] = "JKJaXmessage0="
        event["body"] = body
    else:
        headers = {"Host": context["domainName"], "X-Forwarded-For": SOURCE_IP}
        event["headers"] = headers
        event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    return event


def cognito(trigger: str = "PreSignUp_SignUp", *, user: str = "ada") -> Mapping[str, Any]:
    """A trigger of a user pool, which expects its event back with `response` filled.

    Shape: `cognito-user-pools-working-with-lambda-triggers` of the Cognito guide.
    """
    return {
        "version": "1",
        "triggerSource": trigger,
        "region": REGION,
        "userPoolId": f"{REGION}_Example01",
        "userName": user,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "example0client"},
        "request": {"userAttributes": {"email": f"{user}@example.com"}, "validationData": None},
        "response": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
    }
