/** A registry's settings: how it keeps objects. */
import { z } from 'zod';
import { PkgError } from '../runtime/errors.ts';
import {
  IF_ABSENT,
  type Storage,
  type WriteCondition,
  type WriteOutcome,
} from '../storage/storage.ts';
import { readBounded, uploadOf } from '../storage/whole-content.ts';
import { OBJECT_PREFIX, pointerPrefix, SETTINGS_KEY } from './layout.ts';

/** `objects`: each under its digest, which Quilt3 reads; `packs`: many small ones in few large files. */
export const POLICIES = ['packs', 'objects'] as const;
export type Policy = (typeof POLICIES)[number];

export interface Settings {
  readonly policy: Policy;
  /** Under `packs`: whether some objects stand alone all the same, since the registry was converted. */
  readonly looseObjects: boolean;
}

/** The settings with what a conditional write over them needs. */
export interface FoundSettings extends Settings {
  readonly etag: string;
}

const MAX_SETTINGS_BYTES = 64 * 1024;

const VERSION = 1;

const settingsSchema = z.object({
  version: z.literal(VERSION),
  policy: z.enum(POLICIES),
  looseObjects: z.boolean().default(false),
});

/**
 * What the registry says of itself; undefined where it says nothing.
 * @throws PkgError `integrity` for settings that are broken or of a later version.
 */
export async function findSettings(registry: Storage): Promise<FoundSettings | undefined> {
  const found = await registry.read({ key: SETTINGS_KEY });
  if (found === undefined) return undefined;
  const text = (await readBounded(found.bytes, MAX_SETTINGS_BYTES)).toString('utf8');
  const parsed = settingsSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new PkgError('integrity', `${registry.url}/${SETTINGS_KEY} cannot be understood`, {
      hint: 'It is damaged, or of a later version of pkg.',
      cause: parsed.error,
    });
  }
  const { policy, looseObjects } = parsed.data;
  return { policy, looseObjects, etag: found.etag };
}

/**
 * The settings by which to push. A registry that says nothing keeps `objects` if it holds anything, as
 * one of Quilt3's does; a new one begins with `packs`.
 */
export async function settingsForPush(registry: Storage): Promise<Settings> {
  const found = await findSettings(registry);
  if (found !== undefined) return found;
  if (await holdsAnything(registry)) return { policy: 'objects', looseObjects: true };
  const settings: Settings = { policy: 'packs', looseObjects: false };
  if ((await writeSettings(registry, settings, IF_ABSENT)) === 'written') return settings;
  return (await findSettings(registry)) ?? settings;
}

/** Whether there are pointers or objects already. */
export async function holdsAnything(registry: Storage): Promise<boolean> {
  for (const prefix of [pointerPrefix(undefined), OBJECT_PREFIX]) {
    for await (const _ of registry.list(prefix)) return true;
  }
  return false;
}

/** The text of a settings file. */
export function formatSettings({ policy, looseObjects }: Settings): string {
  return `${JSON.stringify({ version: VERSION, policy, looseObjects }, null, 2)}\n`;
}

export async function writeSettings(
  registry: Storage,
  settings: Settings,
  condition: WriteCondition,
): Promise<WriteOutcome> {
  const upload = await uploadOf(Buffer.from(formatSettings(settings)));
  return await registry.write(SETTINGS_KEY, upload, condition);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
