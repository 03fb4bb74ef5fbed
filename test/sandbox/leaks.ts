/** What hostile model code tries to learn of files beyond its own: whether one is there, and what it says. */

const READ = 'require("fs").realpathSync(secret)';

/** Code that makes a text of each path it is asked for, and another one the next time. */
const CHANGING = 'let asked = 0; const next = () => (asked++ === 0 ? own : secret);';

/** What a function is told of the folder that is there, and of one that is not. */
const DIFFERS = `
const told = async (use) => {
  const ask = async (folder) => {
    try { return String(JSON.stringify(await use(folder))); }
    catch (error) { return [error.code, error.message, error.path, error.url].join(); }
  };
  const there = secret.replace("/secret.txt", "");
  const [one, other] = [(await ask(there)).replaceAll(there, "X"), (await ask(there + "-gone")).replaceAll(there + "-gone", "X")];
  if (one === other) throw new Error("it says the same");
};`;

/** Puts something in the place of a global or of a part for as long as a path is asked for. */
const withReplaced = (target: string, name: string, value: string, use = READ): string =>
  `const old = Object.getOwnPropertyDescriptor(${target}, ${name});
   const own = folder + "/own.txt";
   Reflect.defineProperty(${target}, ${name}, { ...old, ${value} });
   try { ${use}; } finally { Reflect.defineProperty(${target}, ${name}, old); }`;

const learned = (use: string): string => `${DIFFERS} await told((folder) => ${use});`;

/** Bodies with the same names as `ATTACKS` has them. */
export const LEAKS: Readonly<Record<string, string>> = {
  'String replaced': withReplaced('globalThis', '"String"', 'value: () => own'),
  'URL replaced': withReplaced(
    'globalThis',
    '"URL"',
    'value: class { static [Symbol.hasInstance]() { return true; } }',
  ),
  'Set.has replaced': withReplaced('Set.prototype', '"has"', 'value: () => true'),
  'String.startsWith replaced': withReplaced(
    'String.prototype',
    '"startsWith"',
    'value: () => true',
  ),
  'String.slice replaced': withReplaced('String.prototype', '"slice"', 'value: () => own'),
  'RegExp.test replaced': withReplaced('RegExp.prototype', '"test"', 'value: () => true'),
  'RegExp.exec replaced': withReplaced('RegExp.prototype', '"exec"', 'value: () => [own]'),
  'Array.includes replaced': withReplaced('Array.prototype', '"includes"', 'value: () => true'),
  'Reflect.apply replaced': withReplaced('Reflect', '"apply"', 'value: () => true'),
  'TextDecoder replaced': withReplaced('TextDecoder.prototype', '"decode"', 'value: () => own'),
  'Function.call replaced': withReplaced('Function.prototype', '"call"', 'value: () => true'),
  'Function.apply replaced': withReplaced('Function.prototype', '"apply"', 'value: () => true'),
  'iteration of arrays replaced': withReplaced(
    'Array.prototype',
    'Symbol.iterator',
    'value: function* () { yield secret; }',
    'if (require("fs").realpathSync(own, "utf8") === own) throw new Error("its own")',
  ),
  'process.cwd replaced': withReplaced(
    'process',
    '"cwd"',
    'value: () => secret.replace("/secret.txt", "")',
    'require("fs").realpathSync("secret.txt")',
  ),
  'path.resolve replaced': withReplaced(
    'require("path")',
    '"resolve"',
    'value: () => secret',
    'if (require("fs").realpathSync(own) === own) throw new Error("its own")',
  ),
  'pathname of URLs replaced': withReplaced(
    'URL.prototype',
    '"pathname"',
    'get: () => secret',
    'if (require("fs").realpathSync(new URL("file://" + own)) === own) throw new Error("its own")',
  ),
  'pathname of URLs replaced, for import': `${DIFFERS} await told(async (there) => {
    const old = Object.getOwnPropertyDescriptor(URL.prototype, "pathname");
    Reflect.defineProperty(URL.prototype, "pathname", { ...old, get: () => there + "/secret.txt" });
    try { await import("file://" + folder + "/small.mjs?" + String(there.length)); }
    finally { Reflect.defineProperty(URL.prototype, "pathname", old); }
  });`,
  'an object of changing texts': `const own = folder + "/own.txt"; ${CHANGING} require("fs").realpathSync({ toString: next });`,
  'bytes with a text of their own':
    'const path = require("fs").realpathSync(Object.assign(Buffer.from(secret), { toString: () => folder + "/own.txt" })); if (path !== secret) throw new Error("another file");',
  'an object like a URL':
    'require("fs").realpathSync({ toString: () => folder + "/own.txt", href: "file:", protocol: "file:", hostname: "", pathname: secret });',
  'a URL of changing paths': `const own = folder + "/own.txt"; ${CHANGING} const url = Object.defineProperty(new URL("file://" + own), "pathname", { get: next }); if (require("fs").realpathSync(url) === own) throw new Error("its own");`,
  'a cache of links':
    'const cache = { get: (path) => (path === folder + "/own.txt" ? secret : undefined), set() {} }; const own = folder + "/own.txt"; if (require("fs").realpathSync(own, new Proxy({}, { get: (_, key) => (typeof key === "symbol" ? cache : undefined) })) === own) throw new Error("its own");',
  'module._stat': learned('require("module")._stat(folder)'),
  'module._readPackage': learned('require("module")._readPackage(folder)'),
  'module._findPath': learned('require("module")._findPath(folder, [""])'),
  'module._findPath among paths': learned('require("module")._findPath("dep", [folder])'),
  'module.findPackageJSON': learned(
    'require("module").findPackageJSON("..", "file://" + folder + "/a/b.js")',
  ),
  'module.findSourceMap': learned('require("module").findSourceMap(folder + "/secret.cjs")'),
  'require.resolve of a folder': learned('require.resolve(folder)'),
  'require.resolve of a file': learned('require.resolve(folder + "/secret.txt")'),
  'require.resolve by paths': learned('require.resolve("./secret.txt", { paths: [folder] })'),
  'createRequire elsewhere': learned(
    'require("module").createRequire(folder + "/x.js").resolve("hidden/sub")',
  ),
  'createRequire elsewhere, imports': learned(
    'require("module").createRequire(folder + "/x.js").resolve("#hidden")',
  ),
  'require of a file': learned('require(folder + "/secret.cjs")'),
  'a module of another folder': learned(
    'new Promise((resolve) => { const made = new (require("module"))(folder + "/x.js"); made._compile("module.exports = import(\'hidden/sub\')", folder + "/x.js"); resolve(made.exports); })',
  ),
  'import of a file, where Node has hooks': `if (!require("module").registerHooks) throw new Error("it has none"); ${learned('import(folder + "/secret.cjs")')}`,
  'import of a folder, where Node has hooks': `if (!require("module").registerHooks) throw new Error("it has none"); ${learned('import("file://" + folder)')}`,
};
