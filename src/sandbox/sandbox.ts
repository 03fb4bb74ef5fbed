/** A sandbox: a process that runs other people's code on what it is sent, and can do nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { invariant, PkgError } from '../runtime/errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { CodeLimits } from './limits.ts';
import { memoryOf } from './memory.ts';
import { formatMessage, type Message, type MessageLimits, MessageReader } from './messages.ts';
import { listenTo, plainText, type Spoken } from './spoken.ts';
import { commandOf, findSystemWalls, findTensorflow, type SystemWalls } from './walls.ts';

export interface SandboxOptions {
  /** What messages call the code: `model.js`. */
  readonly name: string;
  /** Where the code lies, which alone of all folders it may read; undefined where there is none. */
  readonly folder: string | undefined;
  /** Four integers that its random numbers are drawn by. */
  readonly seed: readonly [number, number, number, number];
  readonly limits: CodeLimits;
}

export interface AnswerLimits extends MessageLimits {
  readonly seconds: number;
  /** What is being done, for a sentence: `createModel`. */
  readonly work: string;
}

/** How often its memory is looked at. */
const MEMORY_EVERY_MS = 50;

/** The longest that a timer waits; beyond it, it would not wait at all. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A running sandbox; to be closed. */
export class Sandbox {
  readonly #runtime: Runtime;
  readonly #options: SandboxOptions;
  readonly #child: ChildProcess;
  readonly #requests: Writable;
  readonly #answers: Readable;
  readonly #spoken: Spoken;
  readonly #reader = new MessageReader();
  readonly #closing = new AbortController();
  /** Why there will be no more answers. */
  #failure: PkgError | undefined;
  #stopWaiting: ((failure: PkgError) => void) | undefined;

  constructor(runtime: Runtime, options: SandboxOptions, child: ChildProcess) {
    this.#runtime = runtime;
    this.#options = options;
    this.#child = child;
    const [requests, output, errors, answers] = child.stdio;
    invariant(isWritable(requests) && isReadable(answers), 'a sandbox has pipes');
    this.#requests = requests;
    this.#answers = answers;
    // That it ended is said by `exit`.
    requests.on('error', () => undefined);
    answers.on('error', () => undefined);
    this.#spoken = listenTo((line) => {
      runtime.report({ kind: 'noted', message: `${options.name}: ${line}` });
    });
    for (const stream of [output, errors]) {
      if (isReadable(stream)) stream.on('data', (chunk: Buffer) => this.#spoken.add(chunk));
    }
    for (const ending of [this.#exit(), this.#outgrowth()]) {
      void ending.then((failure) => {
        if (failure !== undefined) this.#interrupt(failure);
      });
    }
  }

  /**
   * Sends a request and waits for its answer.
   * @throws PkgError `manifest` where the code fails, takes too long or too much memory, ends, or answers
   * what is no answer; the sandbox is of no use any more then.
   */
  async ask(header: object, body: readonly Uint8Array[], limits: AnswerLimits): Promise<Message> {
    if (this.#failure !== undefined) throw this.#failure;
    const done = new AbortController();
    try {
      const answer = this.#answer(limits, done.signal);
      const late = this.#lateness(limits, done.signal);
      const over = new Promise<PkgError>((resolve) => {
        this.#stopWaiting = resolve;
      });
      for (const part of formatMessage(header, body)) this.#requests.write(part);
      const outcome = await Promise.race([answer, over, late]);
      if (outcome instanceof PkgError) throw outcome;
      return outcome;
    } catch (error) {
      this.#child.kill('SIGKILL');
      this.#runtime.signal.throwIfAborted();
      if (error instanceof PkgError) this.#failure ??= error;
      throw error;
    } finally {
      done.abort();
      this.#stopWaiting = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#requests.end();
    this.#child.kill('SIGKILL');
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      await once(this.#child, 'exit');
    }
  }

  /** There will be no more answers; whoever waits for one is told. */
  #interrupt(failure: PkgError): void {
    this.#failure ??= failure;
    this.#stopWaiting?.(this.#failure);
  }

  async #answer(limits: MessageLimits, signal: AbortSignal): Promise<Message> {
    return await new Promise((resolve, reject) => {
      const onData = (chunk: Buffer) => {
        try {
          const message = this.#reader.add(chunk, limits);
          if (message !== undefined) resolve(message);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#answers.on('data', onData);
      signal.addEventListener('abort', () => this.#answers.off('data', onData), { once: true });
    });
  }

  async #lateness({ seconds, work }: AnswerLimits, signal: AbortSignal): Promise<PkgError> {
    const either = AbortSignal.any([signal, this.#runtime.signal]);
    const delayMs = Math.min(seconds * 1000, MAX_DELAY_MS);
    await this.#runtime.clock.sleep(delayMs, either).catch(() => undefined);
    return this.#fault(`took more than ${String(seconds)} s for ${work} and was stopped`, {
      hint: 'Look for a loop without an end, or make the model or the batch smaller.',
    });
  }

  async #exit(): Promise<PkgError> {
    try {
      await once(this.#child, 'close');
    } catch (error) {
      return this.#fault('could not be started', { cause: error });
    }
    const said = this.#spoken.last();
    if (/heap out of memory|Array buffer allocation failed/.test(said)) return this.#tooLarge();
    // Node's code for a top-level await that nothing is left to settle.
    if (this.#child.exitCode === 13) return this.#fault('waits for what never happens');
    const how = this.#child.signalCode ?? `exit code ${String(this.#child.exitCode)}`;
    const reason = /^(?:Uncaught )?((?:\w*Error|Error \[\w+\])\b.*)$/m.exec(said)?.[1];
    const why = reason === undefined ? '' : `: ${plainText(reason)}`;
    return this.#fault(`ended before its work was done (${how})${why}`);
  }

  /** Looks at the memory for as long as the process lives. */
  async #outgrowth(): Promise<PkgError | undefined> {
    const { pid } = this.#child;
    const signal = AbortSignal.any([this.#closing.signal, this.#runtime.signal]);
    const { memoryBytes } = this.#options.limits;
    while (pid !== undefined && !signal.aborted) {
      await this.#runtime.clock.sleep(MEMORY_EVERY_MS, signal).catch(() => undefined);
      const usedBytes = await memoryOf(pid);
      if (usedBytes === undefined) return undefined;
      if (usedBytes > memoryBytes) return this.#tooLarge();
    }
    return undefined;
  }

  #tooLarge(): PkgError {
    const limit = `${String(Math.round(this.#options.limits.memoryBytes / 2 ** 20))} MiB`;
    return this.#fault(`used more than ${limit} of memory and was stopped`, {
      hint: 'Make the model or the batch smaller.',
    });
  }

  #fault(
    what: string,
    details: { readonly hint?: string; readonly cause?: unknown } = {},
  ): PkgError {
    return new PkgError('manifest', `${this.#options.name} ${what}`, {
      key: 'model.entry',
      ...details,
    });
  }
}

/**
 * Starts a sandbox with TensorFlow.js in it.
 * @param given what the system does beside Node, where it is not to be found out.
 */
export async function openSandbox(
  runtime: Runtime,
  options: SandboxOptions,
  given?: SystemWalls,
): Promise<Sandbox> {
  const walls = given ?? (await findSystemWalls());
  const { folder, seed, limits } = options;
  const readable = folder === undefined ? [] : [folder];
  const command = await commandOf({ readable, memoryBytes: limits.memoryBytes }, walls);
  if (folder !== undefined && !walls.hasNoNetwork) {
    const message = `${options.name}: this system gives it no network of its own; Node alone keeps it off`;
    runtime.report({ kind: 'warned', message });
  }
  const settings = JSON.stringify({ packages: findTensorflow(), seed });
  const child = spawn(command.file, [...command.args, settings], {
    ...(folder === undefined ? {} : { cwd: folder }),
    // Without anything of the environment, which may hold secrets; and not of the terminal's group, so
    // that an interrupt reaches it by us.
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  return new Sandbox(runtime, options, child);
}

function isWritable(stream: unknown): stream is Writable {
  return typeof stream === 'object' && stream !== null && 'write' in stream;
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'read' in stream;
}
