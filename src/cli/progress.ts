/** Progress on a terminal: a bar a task; elsewhere lines, if asked for. */
import type { SingleBar } from 'cli-progress';
import type { ProgressEvent, Reporter, TrainingFigures } from '../index.ts';
import { formatBytes, formatSeconds } from './text.ts';

export interface ProgressDisplay {
  readonly report: Reporter;
  /** Removes bars, so that what follows stands on a clean line. */
  stop(): void;
  /** What was warned of, for a result in JSON. */
  readonly warnings: readonly string[];
}

export interface DisplayOptions {
  readonly stream: NodeJS.WriteStream;
  /** `bars` on a terminal, `lines` for logs, `none` where only results are wanted. */
  readonly style: 'bars' | 'lines' | 'none';
  readonly now: () => number;
  /** Whether warnings go to the stream as they come. */
  readonly warn: boolean;
}

/** For a task whose pieces are not known beforehand. */
const UNCOUNTED = '{task} ...';

const FORMAT = '{task} {bar} {value}/{total}  {rate}  {bytes}{failures}{training}  {left}';

export async function createDisplay(options: DisplayOptions): Promise<ProgressDisplay> {
  const warnings: string[] = [];
  const bars = options.style === 'bars' ? await createBars(options) : undefined;
  const say = (line: string) => {
    if (bars === undefined) options.stream.write(`${line}\n`);
    else bars.say(line);
  };
  return {
    warnings,
    stop: () => bars?.stop(),
    report(event) {
      if (event.kind === 'warned') {
        warnings.push(event.message);
        if (options.warn) say(`warning: ${event.message}`);
      } else if (event.kind === 'noted') {
        if (options.style !== 'none') say(event.message);
      } else if (bars !== undefined) {
        bars.update(event);
      } else if (options.style === 'lines' && event.kind !== 'advanced') {
        say(event.kind === 'started' ? `${event.task} ...` : `${event.task}: ${event.summary}`);
      }
    },
  };
}

type TaskEvent = Extract<ProgressEvent, { task: string }>;

async function createBars({ stream, now }: DisplayOptions) {
  const { MultiBar } = await import('cli-progress');
  const multi = new MultiBar({
    stream,
    format: FORMAT,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    autopadding: true,
    emptyOnZero: true,
  });
  const running = new Map<string, { bar: SingleBar; startMs: number }>();
  return {
    say(line: string) {
      // What is logged appears above the bars when they are drawn next; without bars, never.
      if (running.size > 0) multi.log(`${line}\n`);
      else stream.write(`${line}\n`);
    },
    stop() {
      if (running.size > 0) multi.update();
      multi.stop();
    },
    update(event: TaskEvent) {
      const known = running.get(event.task);
      if (event.kind === 'started') {
        const payload = { task: event.task.padEnd(8), ...figures(0, undefined, 0, 0, 0) };
        const format = event.total === undefined ? UNCOUNTED : FORMAT;
        const bar = multi.create(event.total ?? 0, 0, payload, { format });
        running.set(event.task, { bar, startMs: now() });
      } else if (event.kind === 'finished' && known !== undefined) {
        multi.remove(known.bar);
        running.delete(event.task);
      } else if (event.kind === 'advanced' && known !== undefined) {
        const seconds = (now() - known.startMs) / 1000;
        const { done, total, sizeBytes, failed, training } = event;
        if (total !== undefined) known.bar.setTotal(total);
        known.bar.update(done, {
          ...figures(done, total, sizeBytes, failed, seconds),
          ...(training === undefined ? {} : { bytes: '', training: formatTraining(training) }),
        });
      }
    },
  };
}

function figures(
  done: number,
  total: number | undefined,
  sizeBytes: number,
  failed: number,
  seconds: number,
) {
  const rate = seconds > 0 ? done / seconds : 0;
  const left = total !== undefined && rate > 0 ? (total - done) / rate : undefined;
  return {
    rate: `${rate.toFixed(1)}/s`,
    bytes: formatBytes(sizeBytes),
    failures: failed === 0 ? '' : `  ${String(failed)} failed`,
    training: '',
    left: left === undefined ? '' : `${formatSeconds(left)} left`,
  };
}

function formatTraining({ epoch, epochs, iteration, loss, accuracy }: TrainingFigures): string {
  return (
    `epoch ${String(epoch)}/${String(epochs)}  iteration ${String(iteration)}` +
    `  loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}`
  );
}
