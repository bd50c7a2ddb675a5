"""Container images for AWS Lambda custom runtimes: rendered from YAML, built with Docker, proved against the Runtime API."""

__version__ = "0.1.0"
