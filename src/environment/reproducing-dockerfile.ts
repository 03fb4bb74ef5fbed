/** A Dockerfile that reproduces a package while it is built. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PkgError } from '../runtime/errors.ts';
import type { PinnedEnvironment } from './environment.ts';

/** The image that pkg's own Dockerfile builds upon: Node's, of Debian 12, for all platforms. */
export const BASE_IMAGE =
  'node:20.20.2-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0';

/** The version of Node in it. */
const BASE_NODE = '20.20.2';

const TEMPLATE = fileURLToPath(new URL('../../templates/reproduce.Dockerfile', import.meta.url));

/** A published package, and how a builder reaches it. */
export interface PublishedPackage {
  /** `user/name@<top hash>`. */
  readonly reference: string;
  /** `s3://bucket`, or a folder on this machine. */
  readonly registry: string;
  /** An S3 server other than AWS. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly environment: PinnedEnvironment;
}

/** What a Dockerfile and a shell both take as it stands. */
const PLAIN_WORD = /^[A-Za-z0-9_.:/@%+,=[\]-]+$/;

/**
 * A Dockerfile whose build reproduces a package, on the Node that the package pins. It builds upon an image of
 * this tool's choice, as another's image would see the credentials that the registry may need; a comment names
 * those that the package pins. A folder as a registry is given to the build as a context of its own.
 * @throws PkgError `usage` for an address that no Dockerfile can hold.
 */
export async function formatReproducingDockerfile(pkg: PublishedPackage): Promise<string> {
  const { reference, registry, endpoint, region, environment } = pkg;
  const isBucket = registry.startsWith('s3://');
  for (const word of [reference, region, ...(isBucket ? [registry] : []), endpoint ?? '-']) {
    if (!PLAIN_WORD.test(word)) {
      throw new PkgError('usage', `${JSON.stringify(word)} cannot stand in a Dockerfile`, {
        hint: 'Name the registry by a plain address, such as s3://bucket.',
      });
    }
  }
  const fill: Readonly<Record<string, string>> = {
    REFERENCE: reference,
    BASE: BASE_IMAGE,
    NODE: environment.node ?? BASE_NODE,
    COMMAND: isBucket
      ? 'docker build --secret id=aws,src=$HOME/.aws/credentials -f <this file> <PKG>'
      : `docker build --build-context pkg-registry=${inQuotes(registry)} -f <this file> <PKG>`,
    NOTES: notes(isBucket, environment),
    RUN: isBucket
      ? inBucket(reference, { registry, endpoint, region })
      : `--mount=type=bind,from=pkg-registry,target=/registry \\\n    pkg reproduce ${reference} --registry /registry`,
  };
  const template = await readFile(TEMPLATE, 'utf8');
  return template.replace(
    /<(REFERENCE|BASE|NODE|COMMAND|NOTES|RUN)>\n?/g,
    (whole, name: string) => {
      const text = fill[name] ?? '';
      return whole.endsWith('\n') && text !== '' ? `${text}\n` : text;
    },
  );
}

function inBucket(
  reference: string,
  { registry, endpoint, region }: Pick<PublishedPackage, 'registry' | 'endpoint' | 'region'>,
): string {
  const server = endpoint === undefined ? '' : ` --endpoint ${endpoint}`;
  return [
    '--mount=type=secret,id=aws,uid=1000',
    `AWS_REGION=${region} AWS_SHARED_CREDENTIALS_FILE=/run/secrets/aws`,
    `pkg reproduce ${reference} --registry ${registry}${server}`,
  ].join(' \\\n    ');
}

/** What else a reader of the Dockerfile should know, as comments. */
function notes(isBucket: boolean, { dockerfile }: PinnedEnvironment): string {
  const images = dockerfile?.baseImages.filter((image) => PLAIN_WORD.test(image)) ?? [];
  return [
    ...(isBucket ? ['# For a public bucket, leave --secret out.'] : []),
    ...(images.length === 0
      ? []
      : [
          '# The package was made in a Dockerfile upon the images below. If you trust one, build upon it with',
          '# --build-arg BASE=<image>; it needs Node, npm and a user named node.',
          ...images.map((image) => `#   ${image}`),
        ]),
  ].join('\n');
}

/** A path as one word of a shell, in one line. */
function inQuotes(path: string): string {
  return `'${path.replace(/\p{Cc}/gu, '?').replaceAll("'", `'\\''`)}'`;
}
