/** Politeness towards one host: so many requests at once, so many a second, and pauses it asks for. */
import type { Runtime } from '../runtime/runtime.ts';

export interface HostLimits {
  readonly concurrency: number;
  readonly requestsPerSecond: number;
}

/** After a 429 the pace drops by this factor, and comes back as fast as answers do. */
const SLOW_DOWN = 1.5;
const SPEED_UP = 0.95;

/** The slowest pace a host can push us to. */
const MAX_INTERVAL_MS = 10_000;

/** After so many requests in a row that never reached a host, the rest fail at once. */
const DOWN_AFTER_FAILURES = 3;

/** Grants turns to speak to one host. */
export class HostGate {
  readonly #runtime: Runtime;
  readonly #limits: HostLimits;
  #active = 0;
  #nextStartMs = 0;
  #pausedUntilMs = 0;
  #intervalMs: number;
  #failuresInARow = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(runtime: Runtime, limits: HostLimits) {
    this.#runtime = runtime;
    this.#limits = limits;
    this.#intervalMs = 1000 / limits.requestsPerSecond;
  }

  /** Runs a task when its turn has come. */
  async take<T>(task: () => Promise<T>): Promise<T> {
    while (this.#active >= this.#limits.concurrency) {
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    this.#active++;
    try {
      await this.#waitForTurn();
      return await task();
    } finally {
      this.#active--;
      this.#waiting.shift()?.();
    }
  }

  /** The host asked to be left alone for a while: nobody speaks to it until then. */
  pause(delayMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#runtime.clock.now() + delayMs);
    this.#intervalMs = Math.min(MAX_INTERVAL_MS, this.#intervalMs * SLOW_DOWN);
  }

  /** The host answered. */
  noteAnswer(): void {
    this.#failuresInARow = 0;
    this.#intervalMs = Math.max(1000 / this.#limits.requestsPerSecond, this.#intervalMs * SPEED_UP);
  }

  /** A request used up its tries without reaching the host. */
  noteFailure(): void {
    this.#failuresInARow++;
  }

  /** Whether the host has been silent so often that asking again is pointless. */
  get isDown(): boolean {
    return this.#failuresInARow >= DOWN_AFTER_FAILURES;
  }

  async #waitForTurn(): Promise<void> {
    const { clock, signal } = this.#runtime;
    for (;;) {
      const now = clock.now();
      const start = Math.max(now, this.#nextStartMs, this.#pausedUntilMs);
      this.#nextStartMs = start + this.#intervalMs;
      if (start > now) await clock.sleep(start - now, signal);
      if (clock.now() >= this.#pausedUntilMs) return;
    }
  }
}
