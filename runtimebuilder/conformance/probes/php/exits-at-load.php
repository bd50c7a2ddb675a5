<?php

// A handler that ends the process while it is loaded.

exit(7);
