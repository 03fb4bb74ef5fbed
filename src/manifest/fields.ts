/** The small value types that manifest keys are made of. */
import { z } from 'zod';

/** A string that is not empty. */
export const text = z.string().min(1, { error: 'expected a text that is not empty' });

/** A number that is neither NaN nor infinite. */
export const finite = z.number();

export const positiveInteger = z.int().min(1);

/** A share from 0, included, to 1, excluded. */
export const fraction = z.number().min(0).lt(1);

const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A number of bytes, plain or with a unit: `50 MB` is 50,000,000, `50 MiB` 52,428,800. */
export const byteSize = z.union([z.int().min(1), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value;
  const match = /^(\d+(?:\.\d+)?) ?([a-zA-Z]+)$/.exec(value);
  const unit = BYTE_UNITS[match?.[2] ?? ''];
  const sizeBytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) {
    context.addIssue({ code: 'custom', message: 'expected a size such as 50 MB or 512 KiB' });
    return z.NEVER;
  }
  return sizeBytes;
});
