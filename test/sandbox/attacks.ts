/** What hostile model code tries: bodies of asynchronous functions that end well where they succeed. */

/**
 * Names that a body may use: `require`, `port` of a server on 127.0.0.1,
 * `secret` (a text file out of the code's folder), `secretModule` (a module beside it), `folder` (the
 * code's own), `connected` (a promise that a socket connects), `replaced` (does something while methods
 * of a prototype say yes to everything).
 */
export const ATTACKS: Readonly<Record<string, string>> = {
  'net by require': 'await connected(require("node:net").connect(port, "127.0.0.1"));',
  'net by import': 'await connected((await import("node:net")).connect(port, "127.0.0.1"));',
  'net by default import': 'await connected((await import("net")).default.connect(port));',
  'net by getBuiltinModule': 'await connected(process.getBuiltinModule("net").connect(port));',
  'net by a new Socket': 'await connected(new (require("net").Socket)().connect(port));',
  'net by its prototype': 'require("net").Socket.prototype.connect.call({}, port);',
  'net by a data: module':
    'const made = await import("data:text/javascript,import net from %22node:net%22;export default net"); await connected(made.default.connect(port));',
  'net by eval':
    'const net = await eval("import(\'node:net\')"); await connected(net.connect(port));',
  'net by Function':
    'const net = await new Function("return import(\'node:net\')")(); await connected(net.connect(port));',
  'net, listening': 'require("net").createServer().listen(0);',
  'a socket of Unix': 'await connected(require("net").connect("/var/run/docker.sock"));',
  tls: 'await connected(require("tls").connect(port));',
  http: 'await connected(require("http").get({ port }));',
  'http, an agent': 'await connected(new (require("http").Agent)().createConnection({ port }));',
  https: 'await connected(require("https").request({ port }));',
  http2: 'await connected(require("http2").connect(`http://127.0.0.1:${port}`));',
  dgram: 'require("dgram").createSocket("udp4").send("x", port);',
  'dns.lookup': 'require("dns").lookup("localhost", () => {});',
  'dns.promises': 'await (await import("node:dns/promises")).resolve4("localhost");',
  fetch: 'await fetch(`http://127.0.0.1:${port}`);',
  WebSocket: 'new WebSocket(`ws://127.0.0.1:${port}`);',
  EventSource: 'new EventSource(`http://127.0.0.1:${port}`);',
  'process.binding': 'new (process.binding("tcp_wrap").TCP)(0);',
  'process._linkedBinding': 'process._linkedBinding("tcp_wrap");',
  internalBinding: 'internalBinding("tcp_wrap");',
  'module._load': 'await connected(require("module")._load("net").connect(port));',
  'module.register': 'require("module").register("data:text/javascript,export{}");',
  'module.registerHooks': 'require("module").registerHooks({});',
  'handles of the process': 'process._getActiveHandles();',
  'handles by async_hooks': 'require("async_hooks").createHook({ init() {} }).enable();',
  'child_process.spawn': 'require("child_process").spawn("true");',
  'child_process.exec': 'require("child_process").exec("true");',
  'child_process.execFileSync': 'require("child_process").execFileSync("true");',
  'child_process.fork': 'require("child_process").fork("/tmp/x.js");',
  'a ChildProcess': 'new (require("child_process").ChildProcess)().spawn({ file: "true" });',
  'process.execve': 'process.execve("/bin/true", [], {});',
  Worker: 'new (require("worker_threads").Worker)("0", { eval: true });',
  'cluster.fork': 'require("cluster").fork();',
  'process.dlopen': 'process.dlopen({ exports: {} }, `${folder}/addon.node`);',
  'an addon': 'require("./addon.node");',
  WASI: 'new (require("wasi").WASI)({ version: "preview1", preopens: { "/": "/" } });',
  'a file by readFileSync': 'require("fs").readFileSync(secret);',
  'a file by promises': 'await require("fs").promises.readFile(secret);',
  'a file by a callback':
    'await new Promise((ok, no) => require("fs").readFile(secret, (error) => (error ? no(error) : ok())));',
  'a file by bytes': 'require("fs").readFileSync(Buffer.from(secret));',
  'a file by a Uint8Array': 'require("fs").readFileSync(new Uint8Array(Buffer.from(secret)));',
  'a file by URL': 'require("fs").readFileSync(new URL(`file://${secret}`));',
  'a file by ..': 'require("fs").readFileSync(`${folder}/../../../../../..${secret}`);',
  'a file by an own toString':
    'let n = 0; require("fs").readFileSync(Object.assign(Buffer.from(secret), { toString: () => `${folder}/model.mjs` }));',
  'a file with path replaced':
    'for (const name of ["resolve", "normalize", "toNamespacedPath"]) Reflect.set(require("path"), name, () => `${folder}/model.mjs`); require("fs").readFileSync(secret);',
  'a file with String replaced':
    'await replaced(String.prototype, ["startsWith", "includes", "indexOf"], () => require("fs").readFileSync(secret));',
  'a file with Array replaced':
    'await replaced(Array.prototype, ["some", "every", "includes"], () => require("fs").readFileSync(secret));',
  'requests by their descriptor': 'require("fs").readFileSync(0);',
  'a file by openSync': 'require("fs").openSync(secret);',
  'a file as a stream': 'require("fs").createReadStream(secret);',
  'a file as a module': 'await import(`file://${secretModule}`);',
  'a file as a required module': 'require(secretModule);',
  'a file by a database': 'new (require("node:sqlite").DatabaseSync)(secret);',
  'a file by loadEnvFile': 'process.loadEnvFile(secret);',
  'the environment of the process': 'require("fs").readFileSync("/proc/self/environ");',
  'the memory of the parent': 'require("fs").readFileSync(`/proc/${process.ppid}/environ`);',
  'the list of a folder': 'require("fs").readdirSync("/");',
  'the home folder': 'require("fs").readdirSync("/root");',
  'whether a file is there':
    'if (!require("fs").existsSync(secret)) throw new Error("it says no");',
  'the size of a file': 'require("fs").statSync(secret);',
  'the size of a file, by promises': 'await require("fs").promises.lstat(secret);',
  'access to a file': 'require("fs").accessSync(secret);',
  'the real path of a file': 'require("fs").realpathSync(secret);',
  'writing a file': 'require("fs").writeFileSync(`${folder}/x`, "x");',
  'writing by promises': 'await require("fs").promises.writeFile(`${folder}/x`, "x");',
  'writing to a file descriptor': 'require("fs").writeSync(3, "forged");',
  'writing by openSync': 'require("fs").openSync(`${folder}/x`, "w");',
  'a link': 'require("fs").symlinkSync(secret, `${folder}/link`);',
  'a hard link': 'require("fs").linkSync(secret, `${folder}/link`);',
  'a folder': 'require("fs").mkdirSync(`${folder}/x`);',
  'removing a file': 'require("fs").rmSync(`${folder}/model.mjs`);',
  'process.kill of the parent': 'process.kill(process.ppid, "SIGKILL");',
  'process.abort': 'process.abort();',
  'process.chdir': 'process.chdir("/");',
  'process.report': 'process.report.writeReport(`${folder}/report.json`);',
  'process.setuid': 'process.setuid(0);',
  'process.umask': 'process.umask(0);',
  'process.send': 'process.send({});',
  'a heap snapshot': 'require("v8").writeHeapSnapshot(`${folder}/heap`);',
  'flags of V8': 'require("v8").setFlagsFromString("--allow-natives-syntax");',
  inspector: 'require("inspector").open(0);',
  'an inspector session': 'new (require("inspector").Session)().connect();',
  trace_events: 'require("trace_events").createTracing({ categories: ["node"] }).enable();',
  repl: 'require("repl").start();',
  vm: 'require("vm").runInThisContext("1");',
  'a compile cache': 'require("module").enableCompileCache(folder);',
  'the name of the host': 'require("os").hostname();',
  'the user': 'require("os").userInfo();',
  'true randomness': 'require("crypto").randomBytes(8);',
  'true randomness, global': 'crypto.getRandomValues(new Uint8Array(8));',
  'local storage': 'localStorage.setItem("a", "b");',
  'the environment': 'if (Object.keys(process.env).length === 0) throw new Error("it is empty");',
  'the command line': 'if (process.argv.length === 0) throw new Error("it is empty");',
};

/** A module that tries everything and says of each how it ended: `name: DONE`, or why it did not. */
export function attackModule(bodies = ATTACKS): string {
  const attacks = Object.entries(bodies).map(
    ([name, body]) => `[${JSON.stringify(name)}, async () => { ${body} }],`,
  );
  return `
import { createRequire } from 'node:module';
import { SMALL } from './small.mjs';

export async function createModel(tf, options) {
  const { port, secret, secretModule, folder } = options.params;
  const require = createRequire(import.meta.url);
  const connected = (socket) => new Promise((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('response', resolve);
    socket.on('error', reject);
  });
  const replaced = async (target, names, use) => {
    const old = names.map((name) => target[name]);
    for (const name of names) target[name] = () => true;
    try {
      return await use();
    } finally {
      for (const [index, name] of names.entries()) target[name] = old[index];
    }
  };
  const attacks = [
    ${attacks.join('\n    ')}
  ];
  const endings = [];
  for (const [name, attack] of attacks) {
    try {
      await attack();
      endings.push(name + ': DONE');
    } catch (error) {
      endings.push(name + ': ' + String(error?.message).split('\\n')[0].slice(0, 100));
    }
  }
  for (const ending of endings) console.log(ending);
  return SMALL(tf, options);
}
`;
}

/** The model that it makes at last. */
export const SMALL_MODULE = `
export const SMALL = (tf, { inputShape, classes }) =>
  tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape }),
      tf.layers.dense({ units: classes.length, activation: 'softmax' }),
    ],
  });
`;
