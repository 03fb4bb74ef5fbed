/** Versions of Node, whole ones only. */
import { PkgError } from '../runtime/errors.ts';
import { printable } from './printable.ts';

const WHOLE_VERSION = /^(?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})$/;

/** A late version of each line with long support, to suggest where only the line was written. */
const SUGGESTED: Readonly<Record<string, string>> = {
  18: '18.20.8',
  20: '20.20.2',
  22: '22.23.3',
  24: '24.21.0',
};

/** Whether a text is a whole version such as `20.20.2`. */
export function isNodeVersion(text: string): boolean {
  return WHOLE_VERSION.test(text);
}

/**
 * The whole version that a manifest names.
 * @throws PkgError `manifest` with the key environment.node for a line, a range or a name.
 */
export function requireNodeVersion(text: string): string {
  if (isNodeVersion(text)) return text;
  const suggestion = suggestVersion(text);
  throw new PkgError('manifest', `"${printable(text)}" is not one version of Node`, {
    key: 'environment.node',
    hint:
      suggestion === undefined
        ? 'Write a whole version such as 20.20.2; node --version prints the one in use.'
        : `did you mean "${suggestion}"? node --version prints the one in use.`,
  });
}

function suggestVersion(text: string): string | undefined {
  const [, major = '', minor, patch] =
    /^[^\d]{0,3}(\d{1,4})(?:\.(\d{1,4}|[x*]))?(?:\.(\d{1,4}|[x*]))?$/.exec(text.trim()) ?? [];
  if (minor !== undefined && patch !== undefined) {
    const whole = `${major}.${minor}.${patch}`;
    if (isNodeVersion(whole)) return whole;
  }
  const late = SUGGESTED[major];
  if (
    minor === undefined ||
    /[x*]/.test(minor) ||
    late?.startsWith(`${major}.${minor}.`) === true
  ) {
    return late;
  }
  return isNodeVersion(`${major}.${minor}.0`) ? `${major}.${minor}.0` : undefined;
}
