/** Takes away what a network's code has no use for: sockets, processes, threads, other people's files. */
import files from 'node:fs';
import Module, { builtinModules, createRequire, syncBuiltinESMExports } from 'node:module';
import process from 'node:process';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Taken before it is closed to everyone else. */
const { writeSync } = files;

/** Modules that only compute; `domain` and `repl` would change how errors travel if they were loaded. */
const HARMLESS = new Set([
  ...['assert', 'assert/strict', 'buffer', 'console', 'constants'],
  ...['diagnostics_channel', 'domain', 'events', 'path', 'path/posix'],
  ...['path/win32', 'punycode', 'querystring', 'repl', 'stream'],
  ...['stream/consumers', 'stream/promises', 'stream/web', 'string_decoder', 'sys'],
  ...['timers', 'timers/promises', 'url', 'util', 'util/types'],
  ...[
    '_stream_duplex',
    '_stream_passthrough',
    '_stream_readable',
    '_stream_transform',
    '_stream_wrap',
  ],
  ...['_stream_writable'],
]);

/** Parts of `fs` that look at a path; each is made to ask first whether it may. */
const OF_PATHS = new Set([
  ...['access', 'accessSync', 'existsSync', 'lstat', 'lstatSync', 'openSync', 'readFile'],
  ...['readFileSync', 'realpath', 'realpathSync', 'stat', 'statSync'],
]);

/** Parts of `fs` that those need, or that are no functions. */
const OF_FILES = new Set([
  ...['closeSync', 'readSync', 'fstatSync', 'promises', 'constants', 'Stats', 'Dirent'],
]);

/** What runs code elsewhere than here, or writes. */
const OF_MODULE = [
  ...['register', 'registerHooks', 'runMain', 'enableCompileCache', 'flushCompileCache'],
  ...['syncBuiltinESMExports', '_preloadModules', '_debug', 'setSourceMapsSupport'],
];

/** Parts of `process` that say something harmless, or that Node itself needs. */
const OF_PROCESS = new Set([
  ...['version', 'versions', 'arch', 'platform', 'release', 'features', 'argv', 'env', 'exitCode'],
  ...['nextTick', 'hrtime', 'uptime', 'memoryUsage', 'cwd', 'exit', 'reallyExit', 'emitWarning'],
  ...['permission', 'domain', 'noDeprecation', 'throwDeprecation', 'traceDeprecation', 'config'],
  ...['execArgv', 'execPath', 'stdin', 'stdout', 'stderr', 'setUncaughtExceptionCaptureCallback'],
  ...['hasUncaughtExceptionCaptureCallback', 'traceProcessWarnings', 'sourceMapsEnabled'],
  ...['_exiting', '_events', '_eventsCount', '_maxListeners', '_fatalException', '_tickCallback'],
  ...['_rawDebug', 'getBuiltinModule', 'title', 'constructor', 'emit', 'listenerCount'],
]);

const GLOBALS = [
  ...['fetch', 'WebSocket', 'EventSource', 'CloseEvent', 'navigator', 'crypto', 'Crypto'],
  ...['CryptoKey', 'SubtleCrypto', 'localStorage', 'sessionStorage', 'Storage', 'BroadcastChannel'],
  ...['Request', 'Response', 'Worker', 'gc'],
];

/** Modules that Node lists only in its later versions. */
const BY_PREFIX_ONLY = ['sea', 'sqlite', 'test', 'test/reporters'];

const require = createRequire(import.meta.url);

const { registerHooks } = Module;

const bareName = (name) => name.replace(/^node:/, '');

/** Node's modules that can be loaded at all; all but the harmless ones are closed, and say so. */
const KNOWN = new Set([...builtinModules, ...BY_PREFIX_ONLY].map(bareName));

/** Everything stays gone for as long as the process lives. */
export function lockDown() {
  // All are loaded before one is closed, since they are made of each other.
  const modules = [...KNOWN].filter((name) => !HARMLESS.has(name)).map(loadModule);
  disarmClasses();
  for (const { name, exported } of modules) closeModule(name, exported);
  closeProcess();
  for (const name of GLOBALS) {
    // Some are made when they are first looked at; so they are not.
    Reflect.deleteProperty(globalThis, name);
    Object.defineProperty(globalThis, name, { value: undefined });
  }
  syncBuiltinESMExports();
  refuseModules();
}

/** Where Node has hooks for it, a module of Node's that came after this program is not loaded at all. */
function refuseModules() {
  registerHooks?.({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isStrange = found.url.startsWith('node:') && !KNOWN.has(bareName(found.url));
      if (!isStrange) return found;
      throw closedError(found.url);
    },
  });
}

/** Whoever gets hold of an object of these classes can do nothing with it. */
function disarmClasses() {
  const { Socket, Server } = require('node:net');
  forbid(Socket.prototype, 'connect', 'net.connect');
  forbid(Server.prototype, 'listen', 'net.listen');
  const datagrams = require('node:dgram').Socket.prototype;
  for (const name of ['bind', 'connect', 'send']) forbid(datagrams, name, `dgram.${name}`);
  forbid(require('node:child_process').ChildProcess.prototype, 'spawn', 'child_process.spawn');
}

function loadModule(name) {
  try {
    return { name, exported: require(`node:${name}`) };
  } catch {
    // This Node lists it and has it not.
    return { name, exported: {} };
  }
}

function closeModule(name, exported) {
  if (name === 'process') return;
  if (name === 'module') {
    for (const part of OF_MODULE) forbid(exported, part, `module.${part}`);
    return;
  }
  const isFiles = name === 'fs' || name === 'fs/promises';
  for (const part of Reflect.ownKeys(exported)) {
    if (typeof part === 'symbol' || ['prototype', 'length', 'name'].includes(part)) continue;
    if (isFiles && OF_FILES.has(part)) continue;
    if (isFiles && OF_PATHS.has(part)) remove(exported, part, guarded(exported[part], part));
    else forbid(exported, part, `${name}.${part}`);
  }
}

/** Node's permissions leave a few of these alone in some versions, so that a path's existence leaks. */
function guarded(read, name) {
  return function guardedRead(path, ...rest) {
    if (mayRead(path)) return read(path, ...rest);
    if (name === 'existsSync') return false;
    throw closedError(`${String(path)} (fs.${name})`);
  };
}

/** Fails where there is no permission model, without which nothing of this would hold. */
const isPermitted = process.permission.has.bind(process.permission);

function mayRead(path) {
  if (typeof path === 'number') return false;
  return isPermitted('fs.read', path instanceof URL ? fileURLToPath(path) : String(path));
}

function closeProcess() {
  for (const target of [process, Object.getPrototypeOf(process)]) {
    for (const name of Reflect.ownKeys(target)) {
      if (typeof name === 'symbol' || OF_PROCESS.has(name)) continue;
      forbid(target, name, `process.${name}`);
    }
  }
  const { getBuiltinModule } = process;
  const fixed = {
    argv: [],
    execArgv: [],
    execPath: '',
    env: {},
    stdin: undefined,
    stdout: outputTo(1),
    stderr: outputTo(2),
    getBuiltinModule: (name) => (KNOWN.has(bareName(name)) ? getBuiltinModule(name) : undefined),
  };
  for (const [name, value] of Object.entries(fixed)) {
    Object.defineProperty(process, name, { value, writable: true, configurable: true });
  }
}

/** A stream that is no socket. */
function outputTo(file) {
  return new Writable({
    write(chunk, _encoding, done) {
      try {
        writeSync(file, chunk);
      } catch {
        // Nobody reads it.
      }
      done();
    },
  });
}

/**
 * Puts a function in place of a part that says that it is closed; mere constants stay, which Node's own
 * modules look up, and any other value becomes undefined.
 */
function forbid(target, name, label) {
  const old = Object.getOwnPropertyDescriptor(target, name);
  if (old === undefined || isConstant(old)) return;
  // A getter might open what it gives.
  const isFunction = typeof old.value === 'function' || old.get !== undefined;
  const closed = function closed() {
    throw closedError(label);
  };
  remove(target, name, isFunction ? closed : undefined);
}

function closedError(label) {
  return Object.assign(new Error(`${label} is closed to model code`), {
    code: 'ERR_ACCESS_DENIED',
  });
}

/** A number, a text and the like, or an object of nothing else. */
function isConstant({ value, get }) {
  const isPrimitive = (one) => Object(one) !== one;
  if (get !== undefined || typeof value === 'function') return false;
  return isPrimitive(value) || Object.values(value).every(isPrimitive);
}

function remove(target, name, value) {
  if (Object.getOwnPropertyDescriptor(target, name) === undefined) return;
  if (Reflect.defineProperty(target, name, { value, writable: false, configurable: false })) return;
  Reflect.set(target, name, value);
}
