<?php

// A handler file that parses and runs, but gives no handler.

$nothing = null;
