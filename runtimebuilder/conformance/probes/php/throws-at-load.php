<?php

// A handler that throws while it is loaded.

throw new RuntimeException('the probe fails while it is loaded');
