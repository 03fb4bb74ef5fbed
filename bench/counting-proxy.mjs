// An HTTP proxy that counts what passes: counting-proxy.mjs TARGET_URL, forked. It sends its own address
// first; any message makes it send `{ requests, methods, sentBytes, receivedBytes }` since the last one.
// Headers go through as they are, since a signature covers the host that the client asked for.
import { Agent, createServer, request } from 'node:http';

const target = new URL(process.argv[2]);
const agent = new Agent({ keepAlive: true });
let counts = none();

function none() {
  return { requests: 0, methods: {}, sentBytes: 0, receivedBytes: 0 };
}

const server = createServer((incoming, outgoing) => {
  const { method, url: path, rawHeaders } = incoming;
  const own = counts;
  own.requests++;
  own.methods[method] = (own.methods[method] ?? 0) + 1;
  incoming.on('data', (chunk) => {
    own.sentBytes += chunk.length;
  });
  const { hostname, port } = target;
  const onward = request({ agent, hostname, port, method, path, headers: rawHeaders });
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
    answer.on('data', (chunk) => {
      own.receivedBytes += chunk.length;
    });
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) onward.destroy();
  });
  incoming.pipe(onward);
});

process.on('message', () => {
  process.send(counts);
  counts = none();
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`));
