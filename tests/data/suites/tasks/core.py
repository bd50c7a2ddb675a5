"""Functions of the sample suites."""

import os
from typing import Any


def echo(event: Any, context: Any) -> Any:
    return event


def ping(event: Any, context: Any) -> Any:
    print("pinged by", event["msg"])
    return {"msg": f"pong[{event['msg']}]"}


def fails(event: Any, context: Any) -> Any:
    raise ValueError(f"no {event['what']} here")


def environment(event: Any, context: Any) -> Any:
    return {"env": os.environ.get(event), "memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]}


def told(event: Any, context: Any) -> Any:
    return {
        "client_context": context.client_context,
        "cognito_identity": context.identity.cognito_identity_id,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
    }
