"""A handler whose module takes 3 seconds to load."""

import importlib
import time

time.sleep(3)

handler = importlib.import_module("probe").handler
