'use strict';

/*
 * The Node.js probe: obeys commands {"do": ...}; whatever is not a command comes back as it is. It is installed into
 * the images of other people: no dependencies, CommonJS, Node.js 12 and later.
 */

const { execFileSync, spawn, spawnSync } = require('child_process');
const fs = require('fs');

let count = 0;

exports.handler = async (event, context) => {
  if (event === null || typeof event !== 'object' || Array.isArray(event) || !('do' in event)) {
    return event;
  }
  const command = Object.prototype.hasOwnProperty.call(commands, event.do) ? commands[event.do] : null;
  return command ? command(event, context) : { unsupported: true };
};

const commands = {
  echo: (event) => event.value,
  context: async (event, context) => ({
    ...(await told(event)),
    request_id: context.awsRequestId,
    remaining_ms: context.getRemainingTimeInMillis(),
    function_arn: context.invokedFunctionArn,
    trace_id: orNull(process.env._X_AMZN_TRACE_ID),
    pid: process.pid,
    client_context: orNull(context.clientContext),
    cognito_identity: orNull(context.identity),
    tenant_id: orNull(context.tenantId),
  }),
  raise: (event) => {
    const message = 'message_hex' in event ? undecoded(event.message_hex) : (event.message || '').repeat(event.times || 1);
    const error = new Error(message);
    error.name = event.type || 'ProbeError';
    if ('cause' in event) {
      error.cause = new Error(event.cause);
    }
    throw error;
  },
  'raise-odd': (event) => {
    throw event.what === 'text' ? 'thrown text' : null;
  },
  recurse,
  exit: (event) => process.exit(event.code || 0),
  kill: (event) => {
    process.kill(process.pid, event.signal);
    block(1);
  },
  // Nothing else happens in the process while it hangs; while it sleeps, timers and connections go on.
  hang: (event) => block(event.seconds),
  sleep: (event) => new Promise((resolve) => setTimeout(() => resolve(null), event.seconds * 1000)),
  allocate: (event) => Buffer.alloc(event.mb * 1024 * 1024, 1).length,
  env: (event) => chosen(process.env, event.names),
  'child-env': (event) =>
    chosen(JSON.parse(execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)'])), event.names),
  'child-allocate': (event) => {
    const ended = spawnSync(process.execPath, ['-e', `Buffer.alloc(${Number(event.mb)} * 1024 * 1024, 1)`]);
    return ended.signal ? 128 + require('os').constants.signals[ended.signal] : ended.status;
  },
  spawn: (event) => {
    const codes = Array.from({ length: event.count }, () => spawnSync('/bin/sh', ['-c', 'exit 3']).status);
    return codes.filter((code) => code === 3).length;
  },
  daemon: (event) => {
    const options = { stdio: 'ignore', detached: true };
    const child = spawn(process.execPath, ['-e', `setTimeout(() => {}, ${Number(event.seconds)} * 1000)`], options);
    child.unref();
    return child.pid;
  },
  background: (event) => {
    setTimeout(() => fs.writeFileSync(event.path, 'done'), event.seconds * 1000);
    return null;
  },
  clock: () => ({ utc_offset: -60 * new Date().getTimezoneOffset() }),
  cwd: () => process.cwd(),
  whoami: () => ({ uid: process.getuid(), gid: process.getgid(), home: orNull(process.env.HOME) }),
  write: (event) => {
    try {
      fs.writeFileSync(event.path, event.text.repeat(event.times || 1));
    } catch (problem) {
      return { ok: false, error: problem.message };
    }
    return { ok: true };
  },
  read: (event) => {
    try {
      return fs.readFileSync(event.path, 'utf8');
    } catch (problem) {
      return null;
    }
  },
  print: (event) => {
    fs.writeSync(1, event.stdout || '');
    fs.writeSync(2, event.stderr || '');
    return null;
  },
  log: async (event) => {
    await commands.sleep({ seconds: event.seconds || 0 });
    console.error(event.message);
    return null;
  },
  size: (event) => 'x'.repeat(event.bytes),
  nothing: () => undefined,
  counter: () => ++count,
};

/** What `context` gives back of its command, after the seconds that it says. */
async function told(event) {
  await commands.sleep({ seconds: event.seconds || 0 });
  return 'value' in event ? { value: event.value } : {};
}

function recurse() {
  return [recurse()];
}

function block(seconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
  return null;
}

function orNull(value) {
  return value === undefined ? null : value;
}

function chosen(all, names) {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names || names.includes(name)));
}

/** Bytes that are no ASCII as lone surrogates: text that cannot be written as UTF-8. */
function undecoded(hex) {
  return Array.from(Buffer.from(hex, 'hex'), (byte) => String.fromCharCode(byte < 128 ? byte : 0xdc00 + byte)).join('');
}
