'use strict';

// A handler whose module throws while it is loaded.
throw new Error('the probe fails while it is loaded'.repeat(Number(process.env.PROBE_TIMES || 1)));
