"""The ways in which the service brings an execution environment to life."""

from __future__ import annotations

import enum


class Initialization(enum.StrEnum):
    """By the values of AWS_LAMBDA_INITIALIZATION_TYPE (catalogue §4.1)."""

    ON_DEMAND = "on-demand"
    PROVISIONED = "provisioned-concurrency"  # the API is that of on-demand
    SNAP_START = "snap-start"  # ... with restore/*, see `restore`
    MANAGED = "lambda-managed-instances"  # several invocations at once, see `concurrency`
