/** A record of a build, for tests. */
import type { BuildRecord } from '../../src/provenance/build-record.ts';
import { digestOf } from '../../src/store/digest.ts';

export function buildRecord(parts: Partial<BuildRecord> = {}): BuildRecord {
  return {
    tool: 'pkg 0.1.0',
    host: {
      ...{ node: '20.20.2', platform: 'linux', arch: 'x64', os: 'Linux 6.8.0' },
      ...{ cpu: 'Some Processor at 3 GHz', cpus: 4 },
    },
    workers: 4,
    startedAt: '2026-01-02T03:04:05.678Z',
    finishedAt: '2026-01-02T03:04:15.678Z',
    steps: [
      { name: 'query', key: digestOf('query'), seconds: 1.5, cached: false },
      { name: 'fetch', key: digestOf('fetch'), seconds: 0, cached: true },
    ],
    ...parts,
  };
}
