/** Takes away what a network's code has no use for: sockets, processes, threads, other people's files. */
import files from 'node:fs';
import { builtinModules, createRequire, syncBuiltinESMExports } from 'node:module';
import paths from 'node:path';
import process from 'node:process';
import { Writable } from 'node:stream';
import { closedError, remove } from './closed.mjs';
import { guardModules, refuseModules } from './guarded-modules.mjs';
import { readablePath } from './readable-paths.mjs';

/** Taken before it is closed to everyone else. */
const { writeSync } = files;

/** Taken before model code can replace them. */
const { apply } = Reflect;
const { startsWith, slice } = String.prototype;

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
  ...['findPackageJSON', 'findSourceMap', '_initPaths'],
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

const bareName = (name) => (apply(startsWith, name, ['node:']) ? apply(slice, name, [5]) : name);

/** Node's modules that can be loaded at all; all but the harmless ones are closed, and say so. */
const KNOWN = Object.assign(
  Object.create(null),
  Object.fromEntries([...builtinModules, ...BY_PREFIX_ONLY].map((name) => [bareName(name), true])),
);

/** No method is asked, since model code may have replaced it. */
const isKnown = (name) => typeof name === 'string' && KNOWN[bareName(name)] === true;

/** Everything stays gone for as long as the process lives. */
export function lockDown() {
  // All are loaded before one is closed, since they are made of each other.
  const names = Object.keys(KNOWN).filter((name) => !HARMLESS.has(name));
  const modules = names.map(loadModule);
  disarmClasses();
  guardModules();
  for (const { name, exported } of modules) closeModule(name, exported);
  // Node itself asks these what a path means.
  for (const kind of [paths, paths.posix, paths.win32, URL.prototype]) Object.freeze(kind);
  closeProcess();
  for (const name of GLOBALS) {
    // Some are made when they are first looked at; so they are not.
    Reflect.deleteProperty(globalThis, name);
    Object.defineProperty(globalThis, name, { value: undefined });
  }
  syncBuiltinESMExports();
  refuseModules(isKnown);
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
  const isRealpath = name === 'realpath' || name === 'realpathSync';
  // The array is given on as it is: model code could listen in wherever it is spread or copied.
  return function guardedRead(...given) {
    const path = readablePath(given[0]);
    if (path === undefined) {
      if (name === 'existsSync') return false;
      throw closedError(typeof given[0] === 'string' ? `${given[0]} (fs.${name})` : `fs.${name}`);
    }
    given[0] = path;
    if (isRealpath && given.length > 1) given[1] = withoutCache(given[1]);
    return apply(read, undefined, given);
  };
}

/** Options may bring a cache of links, which would be believed. */
function withoutCache(options) {
  if (typeof options !== 'object' || options === null) return options;
  return { __proto__: null, encoding: options.encoding };
}

function closeProcess() {
  for (const target of [process, Object.getPrototypeOf(process)]) {
    for (const name of Reflect.ownKeys(target)) {
      if (typeof name === 'symbol' || OF_PROCESS.has(name)) continue;
      forbid(target, name, `process.${name}`);
    }
  }
  const { cwd, getBuiltinModule } = process;
  // Paths are resolved by it.
  remove(process, 'cwd', cwd);
  const fixed = {
    argv: [],
    execArgv: [],
    execPath: '',
    env: {},
    stdin: undefined,
    stdout: outputTo(1),
    stderr: outputTo(2),
    getBuiltinModule: (name) => (isKnown(name) ? getBuiltinModule(name) : undefined),
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

/** A number, a text and the like, or an object of nothing else. */
function isConstant({ value, get }) {
  const isPrimitive = (one) => Object(one) !== one;
  if (get !== undefined || typeof value === 'function') return false;
  return isPrimitive(value) || Object.values(value).every(isPrimitive);
}
