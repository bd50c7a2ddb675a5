"""Sample events and builders of events, in the shapes in which AWS services hand them to a function.

Each call makes a new event: plain dicts and lists, ready for json.dumps.
"""

from runtimebuilder.events import samples
from runtimebuilder.events.balancer import alb
from runtimebuilder.events.samples import direct, sqs
from runtimebuilder.events.web import function_url, http_v1, http_v2

__all__ = ["alb", "direct", "function_url", "http_v1", "http_v2", "samples", "sqs"]
