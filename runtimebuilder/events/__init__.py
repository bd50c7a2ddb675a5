"""Sample events and builders of events, in the shapes in which AWS services hand them to a function.

Each call makes a new event: plain dicts and lists, ready for json.dumps.
"""

from runtimebuilder.events import samples
from runtimebuilder.events.balancer import alb
from runtimebuilder.events.messages import direct, eventbridge, schedule, sns, sqs, step_functions
from runtimebuilder.events.others import cloudwatch_logs, cognito, kafka, websocket
from runtimebuilder.events.records import dynamodb, kinesis, s3
from runtimebuilder.events.web import function_url, http_v1, http_v2

__all__ = [
    "alb",
    "cloudwatch_logs",
    "cognito",
    "direct",
    "dynamodb",
    "eventbridge",
    "function_url",
    "http_v1",
    "http_v2",
    "kafka",
    "kinesis",
    "s3",
    "samples",
    "schedule",
    "sns",
    "sqs",
    "step_functions",
    "websocket",
]
