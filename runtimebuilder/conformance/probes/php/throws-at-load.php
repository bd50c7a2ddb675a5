<?php

// A handler that throws while it is loaded.

throw new RuntimeException(str_repeat('the probe fails while it is loaded', (int) (getenv('PROBE_TIMES') ?: 1)));
