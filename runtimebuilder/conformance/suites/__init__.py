"""Suites that were written for AWS's containerized test runner, run in our box (docs/suites.md)."""
