"""A handler whose module raises while it is loaded."""

import os

raise RuntimeError("the probe fails while it is loaded" * int(os.environ.get("PROBE_TIMES", "1")))
