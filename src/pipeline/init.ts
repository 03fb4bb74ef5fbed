/** Beginning a manifest from a template. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_NAME_PATTERN } from '../manifest/manifest.ts';
import { PkgError, storageError, systemErrorCode } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { makeFolder } from '../store/atomic-file.ts';

/** The word in a template that stands for the package's name. */
const NAME_PLACEHOLDER = 'USER/NAME';

const TEMPLATES_FOLDER = fileURLToPath(new URL('../../templates', import.meta.url));

export interface InitResult {
  readonly name: string;
  readonly template: string;
  readonly manifest: string;
}

/**
 * Writes `manifests/<name>.yaml` below a folder, from a template. An existing file is never replaced.
 * @throws PkgError `usage` for a bad name, an unknown template or an existing manifest.
 */
export async function initManifest(
  name: string,
  template: string,
  folder: string,
): Promise<InitResult> {
  if (!PACKAGE_NAME_PATTERN.test(name)) {
    throw new PkgError('usage', `"${name}" is not a package name`, {
      hint: 'Names are user/name, of letters, digits, "_" and "-".',
    });
  }
  const text = (await readTemplate(template)).replaceAll(NAME_PLACEHOLDER, name);
  const manifest = join(folder, 'manifests', `${name.split('/')[1] ?? name}.yaml`);
  await makeFolder(dirname(manifest));
  try {
    await writeFile(manifest, text, { flag: 'wx' });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw storageError(error, `cannot write ${manifest}`);
    throw new PkgError('usage', `${manifest} is there already`, {
      hint: 'Edit it, or remove it first.',
      cause: error,
    });
  }
  return { name, template, manifest };
}

async function readTemplate(template: string): Promise<string> {
  const files = await readdir(TEMPLATES_FOLDER);
  const names = files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -5));
  if (!names.includes(template)) {
    throw new PkgError('usage', `there is no template "${template}"`, {
      hint: didYouMean(template, names) ?? `Templates: ${names.sort().join(', ')}.`,
    });
  }
  return await readFile(join(TEMPLATES_FOLDER, `${template}.yaml`), 'utf8');
}
