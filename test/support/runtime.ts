/** A runtime for tests that keeps what was reported. */
import { createRuntime, type ProgressEvent, type Runtime } from '../../src/runtime/runtime.ts';

export interface RecordingRuntime extends Runtime {
  readonly events: ProgressEvent[];
}

export function testRuntime(parts: Partial<Runtime> = {}): RecordingRuntime {
  const events: ProgressEvent[] = [];
  return { ...createRuntime({ report: (event) => events.push(event), ...parts }), events };
}
