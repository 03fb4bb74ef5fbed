#!/usr/bin/env node
/** The executable: sizes the thread pool before anything starts it, then runs the command line. */
const { availableParallelism } = process.getBuiltinModule('node:os');

// Pictures are decoded on libuv's threads, of which there are four however many cores there are.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, availableParallelism()));

// The AWS SDK speaks of Node versions on stderr, where a script expects our one JSON error.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

// V8 lets its young generation grow to 48 MiB before it looks for garbage; a list of a million entries is
// parsed in 156 MB instead of 224 without that, and in two thirds of the time.
process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');

void import('./main.js').then(({ runProcess }) => runProcess());
