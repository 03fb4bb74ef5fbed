// pkg's side of the fetch benchmark: pkg-fetch.mjs IMAGES_CSV TABLE_URL CONCURRENCY STORE_FOLDER
import { createHttpClient } from '../dist/http/client.js';
import { loadSharp } from '../dist/images/sharp.js';
import { createRuntime } from '../dist/runtime/runtime.js';
import { fetchImages } from '../dist/steps/fetch.js';
import { fileBytes } from '../dist/store/digest.js';
import { openStore } from '../dist/store/store.js';

const [imagesPath, tableUrl, concurrency, storeFolder] = process.argv.slice(2);
const runtime = createRuntime();
const store = await openStore(storeFolder, Date.now());
const images = await store.put(fileBytes(imagesPath, runtime.signal));
const client = createHttpClient(runtime, {
  concurrency: Number(concurrency),
  requestsPerSecond: Number.POSITIVE_INFINITY,
  retries: 5,
  timeoutMs: 30_000,
});
const context = { runtime, store, client, folder: '.', again: false };
const params = { maxBytes: 50_000_000, changed: 'keep', from: ['original'], tables: [tableUrl] };

// What is loaded once is part of the whole run's figures, not of the fetching.
await loadSharp();
const startMs = performance.now();
const before = process.cpuUsage();
const { photos } = await fetchImages(context, params, {
  selection: [{ path: 'images.csv', ...images }],
});
const { user, system } = process.cpuUsage(before);
const fetching = {
  seconds: (performance.now() - startMs) / 1000,
  cpuSeconds: (user + system) / 1e6,
};
await client.close();
console.log(JSON.stringify({ kept: photos.length, fetching }));
