"""Lambda's side of the wire: a Runtime API that answers as it should, or as it is told to."""

from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Delivery, Reply
from runtimebuilder.emulator.initialization import Initialization
from runtimebuilder.emulator.invocation import Invocation, Outcome, OutcomeKind, StreamError
from runtimebuilder.emulator.recording import Recording
from runtimebuilder.emulator.server import Emulator
from runtimebuilder.emulator.state import State

__all__ = [
    "Delivery",
    "Emulator",
    "Exchange",
    "Initialization",
    "Invocation",
    "Outcome",
    "OutcomeKind",
    "Recording",
    "Reply",
    "Route",
    "State",
    "StreamError",
]
