"""The environment as data."""

from __future__ import annotations

import re

from runtimebuilder.emulator.initialization import Initialization
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


def test_a_snap_start_environment_has_credentials_at_an_endpoint_and_no_log_names() -> None:
    function = Function(initialization=Initialization.SNAP_START)
    variables = service_environment(Limits(), "127.0.0.1:9001", function)
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == "http://127.0.0.1:9001/2021-04-23/credentials"
    assert variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    usual = service_environment(Limits(), "127.0.0.1:9001", Function())
    assert sorted(set(usual) - set(variables)) == [
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ]


def test_a_managed_environment_says_how_many_events_it_takes_at_once() -> None:
    function = Function(initialization=Initialization.MANAGED, max_concurrency=8)
    variables = service_environment(Limits(), "api", function)
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "lambda-managed-instances"
    assert variables["AWS_LAMBDA_MAX_CONCURRENCY"] == "8"
    assert variables["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert "AWS_LAMBDA_MAX_CONCURRENCY" not in service_environment(Limits(), "api", Function())
    assert not function.is_killed_at_deadline
    assert Function().is_killed_at_deadline
