"""What cases take as arguments. Registered only while the suite runs: nobody else's tests see these names."""

from __future__ import annotations

import pytest

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.environment import Environment
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import unsupported
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.session import SESSION, setting_of
from runtimebuilder.conformance.subject import Subject
from runtimebuilder.conformance.workers import WORKERS, Workers
from runtimebuilder.emulator.server import Emulator
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.container import Box


@pytest.fixture
def environments(request: pytest.FixtureRequest) -> Environments:
    """Opens execution environments: `environments.open(...)` gives one that is not started."""
    return request.config.stash[SESSION].environments


@pytest.fixture
def fresh(environments: Environments) -> Environment:
    """An environment of this case's own, started and waiting for an event."""
    return environments.fresh()


@pytest.fixture
def warm(environments: Environments) -> Environment:
    """An environment that waits for an event and may have served other cases: for cases that only watch."""
    return environments.warm()


@pytest.fixture
def workers(environments: Environments) -> Workers:
    """A managed environment whose workers wait for events; the case is unsupported where there is only one."""
    environments.features.look_for(Need.CONCURRENCY)
    return Workers.found(environments.managed(WORKERS), environments.features)


@pytest.fixture
def box(fresh: Environment) -> Box:
    """The fresh environment's container under Lambda's limits."""
    return fresh.box


@pytest.fixture
def api(fresh: Environment) -> Emulator:
    """The fresh environment's Runtime API."""
    return fresh.api


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Subject:
    """The image under test with the engine that holds it."""
    return setting_of(request.config).subject


@pytest.fixture
def image(subject: Subject) -> ImageFacts:
    """The configuration of the image under test."""
    return subject.facts


@pytest.fixture
def probe(request: pytest.FixtureRequest) -> Probe:
    """The handler that the suite installs; the case is unsupported without one."""
    found = setting_of(request.config).probe
    if found is None:
        unsupported("there is no probe for this image (--probe none)")
    return found
