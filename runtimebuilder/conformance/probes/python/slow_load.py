"""A handler whose module takes 1.5 seconds to load."""

import importlib
import time

time.sleep(1.5)

handler = importlib.import_module("probe").handler
