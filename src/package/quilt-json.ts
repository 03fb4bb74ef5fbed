/** JSON as quilt3 spells it: the canonical form that is hashed, and the lines that are stored. */
import { isJsonArray, isJsonObject, type JsonValue } from './lossless-json.ts';

/** Texts that need no escape. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

/**
 * The canonical form: ASCII only, no white space, keys sorted by code point, numbers as Python
 * prints them (`repr`), so that a value has one spelling.
 */
export function canonicalQuiltJson(value: JsonValue): string {
  if (isJsonObject(value)) {
    const sorted = value.size < 2 ? value : [...value].sort(([a], [b]) => compareCodePoints(a, b));
    let text = '';
    for (const [key, member] of sorted) {
      text += `${text === '' ? '' : ','}${canonicalText(key)}:${canonicalQuiltJson(member)}`;
    }
    return `{${text}}`;
  }
  if (isJsonArray(value)) return `[${value.map(canonicalQuiltJson).join(',')}]`;
  return typeof value === 'string' ? canonicalText(value) : formatScalar(value);
}

/** The canonical form of a text. */
export function canonicalText(text: string): string {
  if (PLAIN_TEXT.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The stored form: insertion order, `", "` and `": "`, characters beyond ASCII as they are. */
export function formatQuiltJson(value: JsonValue): string {
  if (isJsonObject(value)) {
    let text = '';
    for (const [key, member] of value) {
      text += `${text === '' ? '' : ', '}${formatText(key)}: ${formatQuiltJson(member)}`;
    }
    return `{${text}}`;
  }
  if (isJsonArray(value)) return `[${value.map(formatQuiltJson).join(', ')}]`;
  return typeof value === 'string' ? formatText(value) : formatScalar(value);
}

/** The stored form of a text. */
export function formatText(text: string): string {
  return PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Compares texts by Unicode code point; UTF-16 order differs above U+D7FF. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Lifts surrogates, which stand for code points above U+FFFF, over all other units. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function formatScalar(value: null | boolean | bigint | number): string {
  if (typeof value === 'number') return pythonFloat(value);
  return String(value);
}

/**
 * A float as Python's `repr`: the shortest digits that read back to the same value, in exponent form
 * where the decimal exponent is below -4 or above 15.
 */
function pythonFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', exponentText = ''] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? '-' : '+';
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
