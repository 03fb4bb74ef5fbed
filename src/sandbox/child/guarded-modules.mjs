/** How modules are found: in folders that model code may read, and as if there were no others. */
import Module from 'node:module';
import { fileURLToPath } from 'node:url';
import { closedError, remove } from './closed.mjs';
import { readablePath } from './readable-paths.mjs';

/** Taken before model code can replace them. */
const { apply } = Reflect;
const { startsWith } = String.prototype;
const { registerHooks } = Module;
const TrueUrl = URL;
const { get: getHref } = Reflect.getOwnPropertyDescriptor(URL.prototype, 'href');

/** What `Module._stat` says of a path where nothing is. */
const MISSING = -2;

const beginsWith = (text, start) => apply(startsWith, text, [start]);

/** Makes `require` see nothing beyond the readable paths: neither files nor what a package.json says. */
export function guardModules() {
  const { _stat: stat, _readPackage: readPackage, _findPath: findPath } = Module;
  const { _compile: compile } = Module.prototype;
  const guards = {
    _stat: (path) => (readablePath(path) === undefined ? MISSING : stat(path)),
    _readPackage(folder) {
      const file = readablePath(`${folder}/package.json`);
      if (file !== undefined && typeof folder === 'string') return readPackage(folder);
      return { __proto__: null, exists: false, type: 'none' };
    },
    _findPath(...given) {
      const found = apply(findPath, Module, given);
      return readablePath(found) === undefined ? false : found;
    },
  };
  for (const name of Object.keys(guards)) {
    // Node's own loader calls what is set here.
    Module[name] = guards[name];
    remove(Module, name, guards[name]);
  }
  // Its file name is where the code would import from.
  remove(Module.prototype, '_compile', function guardedCompile(...given) {
    if (readablePath(given[1]) === undefined) throw closedError('module._compile');
    return apply(compile, this, given);
  });
}

/**
 * Where Node has hooks for it, `import` is told the same of a path that may not be read whether something is
 * there or not, and a module of Node's that came after this program is not loaded at all.
 */
export function refuseModules(isKnown) {
  registerHooks?.({
    resolve(specifier, context, next) {
      const target = targetOf(specifier, context.parentURL);
      if (target !== undefined && !isReadable(target)) throw closedError(specifier);
      let found;
      try {
        found = next(specifier, context);
      } catch (error) {
        // What `require` says is about readable paths only.
        if (target !== undefined || error.code === 'MODULE_NOT_FOUND') throw error;
        throw notFound(specifier);
      }
      const { url } = found;
      if (beginsWith(url, 'file:') && !isReadable(url)) throw notFound(specifier);
      if (beginsWith(url, 'node:') && !isKnown(url)) throw closedError(url);
      return found;
    },
  });
}

function isReadable(url) {
  try {
    return readablePath(fileURLToPath(url)) !== undefined;
  } catch {
    return false;
  }
}

/** The URL of a file that is named by its place; undefined where a package is named, or no file. */
function targetOf(specifier, parent) {
  const isPlace = specifier[0] === '.' || specifier[0] === '/';
  try {
    const url = new TrueUrl(specifier, isPlace ? parent : undefined);
    const href = apply(getHref, url, []);
    return beginsWith(href, 'file:') ? href : undefined;
  } catch {
    return undefined;
  }
}

function notFound(specifier) {
  const error = new Error(`Cannot find package '${specifier}'`);
  error.code = 'ERR_MODULE_NOT_FOUND';
  return error;
}
