/** Politeness of the HTTP client, seen from the server: Retry-After, pace and requests at once. */
import { describe, expect, it } from 'vitest';
import { ask, type ClientOptions, openClient, serve } from '../support/http-probe.ts';

/** Asks a server that first answers `status` with a Retry-After; gives what the clock was asked. */
async function waitFor(header: (nowMs: number) => string, status = 503) {
  const { client, clock } = openClient();
  const arrivals: number[] = [];
  const server = await serve((_, response, before) => {
    arrivals.push(clock.now());
    if (before > 0) response.end('here');
    else response.writeHead(status, { 'retry-after': header(clock.now()) }).end();
  });
  const result = await ask(client, server.url);
  expect(result).toMatchObject({ kind: 'received', value: { text: 'here' } });
  const [first = 0, second = 0] = arrivals;
  return { waitedMs: second - first, first, second };
}

describe('Retry-After', () => {
  it.each([503, 429])('is obeyed in seconds, after HTTP %i', async (status) => {
    const { waitedMs } = await waitFor(() => '17', status);
    expect(waitedMs).toBeGreaterThanOrEqual(17_000);
    expect(waitedMs).toBeLessThan(18_000);
  });

  it('is obeyed as a date, to the end of the second that it names', async () => {
    const { first, second } = await waitFor((nowMs) => new Date(nowMs + 9400).toUTCString());
    const named = Math.floor((first + 9400) / 1000) * 1000;
    expect(second).toBeGreaterThanOrEqual(named + 1000);
    expect(second).toBeLessThan(named + 2000);
  });

  it('makes a wait of the usual length where it lies in the past or makes no sense', async () => {
    const past = await waitFor((nowMs) => new Date(nowMs - 60_000).toUTCString());
    expect(past.waitedMs).toBe(250);
    const nonsense = await waitFor(() => 'in a while');
    expect(nonsense.waitedMs).toBe(250);
  });

  it('of more than ten minutes is no wait but a failure', async () => {
    const { client } = openClient();
    const server = await serve((_, response) => {
      response.writeHead(503, { 'retry-after': '100000' }).end();
    });
    await expect(ask(client, server.url)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('asks to wait 100000 s') as string,
    });
    expect(server.requests).toHaveLength(1);
  });

  it('does not use up tries, and yet does not go on for ever', async () => {
    const patient = await serve((_, response, before) => {
      if (before < 12) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.end('at last');
    });
    expect(await ask(openClient({ retries: 1 }).client, patient.url)).toMatchObject({
      value: { text: 'at last' },
    });
    const endless = await serve((_, response) => response.writeHead(429).end());
    await expect(ask(openClient({ retries: 1 }).client, endless.url)).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(endless.requests.length).toBeLessThanOrEqual(32);
  });

  it('pauses every request to that host, and none to another', async () => {
    const { client, clock } = openClient({ concurrency: 1 });
    const busyAt: number[] = [];
    const busy = await serve((_, response, before) => {
      busyAt.push(clock.now());
      if (before === 0) response.writeHead(429, { 'retry-after': '60' }).end();
      else response.end('served');
    });
    const started = clock.now();
    await Promise.all([1, 2, 3].map(() => ask(client, busy.url)));
    expect(busyAt).toHaveLength(4);
    expect(busyAt.slice(1).every((at) => at - started >= 60_000)).toBe(true);

    const { client: second, clock: secondClock } = openClient();
    const paused = await serve((_, response, before) => {
      if (before === 0) response.writeHead(429, { 'retry-after': '60' }).end();
      else response.end('served');
    });
    let otherMs = 0;
    const other = await serve((_, response) => {
      otherMs = secondClock.now();
      response.end('at once');
    });
    const before = secondClock.now();
    await Promise.all([ask(second, other.url), ask(second, paused.url)]);
    expect(otherMs - before).toBeLessThan(60_000);
  });
});

describe('the limits of a host', () => {
  async function measure(options: ClientOptions, requests: number) {
    const seen = { running: 0, most: 0 };
    const server = await serve((_, response) => {
      seen.running++;
      seen.most = Math.max(seen.most, seen.running);
      setTimeout(() => {
        seen.running--;
        response.end('done');
      }, 10);
    });
    const { client, clock } = openClient(options);
    const started = clock.now();
    await Promise.all(Array.from({ length: requests }, () => ask(client, server.url)));
    return { most: seen.most, tookMs: clock.now() - started, served: server.requests.length };
  }

  it.each([1, 4])('keep %i requests open at once, never more', async (concurrency) => {
    expect(await measure({ concurrency }, 24)).toMatchObject({ most: concurrency, served: 24 });
  });

  it('keep the pace over many requests', async () => {
    const { tookMs } = await measure({ requestsPerSecond: 4 }, 9);
    expect(tookMs).toBe(2000);
  });

  it('count a request as open until its body is read', async () => {
    const { client } = openClient({ concurrency: 1 });
    const server = await serve((_, response) => response.end('body'));
    const request = { url: server.url, reach: 'anywhere' as const, maxBytes: 100 };
    let release: () => void = () => undefined;
    const first = client.get(request, async (answer) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      for await (const _ of answer.body);
    });
    const second = ask(client, server.url);
    await new Promise((later) => setTimeout(later, 50));
    expect(server.requests).toHaveLength(1);
    release();
    await Promise.all([first, second]);
    expect(server.requests).toHaveLength(2);
  });
});
