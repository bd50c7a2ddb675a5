"""A handler whose module raises while it is loaded."""

raise RuntimeError("the probe fails while it is loaded")
