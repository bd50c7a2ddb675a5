"""Container images for AWS Lambda custom runtimes: rendered, built, and proved against the Runtime API."""

__version__ = "0.1.0"
