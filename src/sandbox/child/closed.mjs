/** What stands where something was taken away from model code. */

/** The error of whatever is closed. */
export function closedError(label) {
  return Object.assign(new Error(`${label} is closed to model code`), {
    code: 'ERR_ACCESS_DENIED',
  });
}

/** Puts a value in the place of a part, for good where the part allows it. */
export function remove(target, name, value) {
  if (Object.getOwnPropertyDescriptor(target, name) === undefined) return;
  if (Reflect.defineProperty(target, name, { value, writable: false, configurable: false })) return;
  Reflect.set(target, name, value);
}
