'use strict';

// A handler whose module ends the process while it is loaded.
process.exit(7);
