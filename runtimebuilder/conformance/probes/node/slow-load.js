'use strict';

// A handler whose module takes 3 seconds to load.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);

exports.handler = require('./probe').handler;
