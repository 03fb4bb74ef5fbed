/**
 * Which paths model code may read. What it is decided by is taken when this module is loaded, before any
 * model code is: nothing here looks up a global or a method that such code could have replaced since.
 */
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';

const { apply, getOwnPropertyDescriptor } = Reflect;

const { isUint8Array } = types;

const { cwd } = process;

/** Fails where there is no permission model, without which nothing of this would hold. */
const isPermitted = process.permission.has.bind(process.permission);

const { get: getHref } = getOwnPropertyDescriptor(URL.prototype, 'href');

const { decode } = TextDecoder.prototype;

const decoder = new TextDecoder();

/**
 * The absolute path that a value means, if it may be read; undefined otherwise. Whoever reads must read
 * what this gives and not the value itself, which may mean another path when it is asked again.
 * @param value a text, bytes or a `URL`.
 */
export function readablePath(value) {
  const text = textOf(value);
  if (typeof text !== 'string') return undefined;
  const path = resolve(cwd(), text);
  return isPermitted('fs.read', path) ? path : undefined;
}

function textOf(value) {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    if (isUint8Array(value)) return apply(decode, decoder, [value]);
    return fileURLToPath(apply(getHref, value, []));
  } catch {
    return undefined;
  }
}
