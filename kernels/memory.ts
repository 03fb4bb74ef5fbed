/** Where control words stand in the memory that all threads share; everything else is laid out by the engine. */

/** Next task of the running phase. */
export const NEXT_TASK: usize = 64;
/** Threads that have ended the running phase. */
export const ARRIVED: usize = 128;
/** Counts the phases that all threads have ended. */
export const PHASES_DONE: usize = 192;
/** Counts the runs that were started; workers sleep on it. */
export const RUNS_STARTED: usize = 256;
/** How many threads take part in a run, the caller included. */
export const THREADS: usize = 260;
/** The program of the run. */
export const PROGRAM: usize = 264;
/** Not 0 where the threads shall end, or one has failed. */
export const STOPPED: usize = 268;
/** Examples in the batch. */
export const BATCH: usize = 272;
/** Scratch memory of thread 0, and its size, which is the distance to the next thread's. */
export const SCRATCH: usize = 276;
export const SCRATCH_BYTES: usize = 280;

/** The n-th word of a kernel's arguments. */
// @ts-ignore: decorator
@inline
export function word(args: usize, index: i32): i32 {
  return load<i32>(args + ((<usize>index) << 2));
}

/** The n-th word of a kernel's arguments as an address or a number of bytes. */
// @ts-ignore: decorator
@inline
export function at(args: usize, index: i32): usize {
  return <usize>load<u32>(args + ((<usize>index) << 2));
}

/** The n-th word of a kernel's arguments as a number. */
// @ts-ignore: decorator
@inline
export function real(args: usize, index: i32): f32 {
  return load<f32>(args + ((<usize>index) << 2));
}

/** A thread's own scratch memory. */
// @ts-ignore: decorator
@inline
export function scratchOf(thread: i32): usize {
  return <usize>load<u32>(SCRATCH) + <usize>thread * <usize>load<u32>(SCRATCH_BYTES);
}

/** Examples in the batch. */
// @ts-ignore: decorator
@inline
export function batchSize(): i32 {
  return load<i32>(BATCH);
}
