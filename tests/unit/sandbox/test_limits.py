"""The environment as data."""

from __future__ import annotations

import re

from runtimebuilder.sandbox.limits import Function, Limits, box_environment, service_environment


def test_the_services_variables_for_an_image() -> None:
    variables = service_environment(Limits(memory_mb=256), "127.0.0.1:9001", Function(name="shop"))
    assert list(variables) == sorted(variables)
    assert variables["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_Image"
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/shop"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", variables["AWS_LAMBDA_LOG_STREAM_NAME"])
    # Not from the service: the entrypoint's, the runtime's, and the image's.
    assert {"_HANDLER", "_X_AMZN_TRACE_ID", "PATH", "TZ", "LANG", "LD_LIBRARY_PATH"}.isdisjoint(variables)


def test_the_users_variables_come_last_and_the_engines_go() -> None:
    variables = box_environment(Limits(), "api", Function(), {"AWS_ACCESS_KEY_ID": "", "A": "b"})
    assert variables["AWS_ACCESS_KEY_ID"] == ""
    assert variables["A"] == "b"
    assert variables["HOSTNAME"] is None
