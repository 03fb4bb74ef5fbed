/** Resources: how statements name files, addresses and images, with their digests. */
import { type Json, toPlainJson } from '../store/canonical-json.ts';

/** A JSON object. */
export interface JsonRecord {
  readonly [key: string]: Json;
}

/**
 * A resource descriptor, of the fields that are used here.
 * Source: https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
 */
export interface Resource {
  readonly name: string;
  readonly uri?: string | undefined;
  readonly digest?: Readonly<Record<string, string>> | undefined;
  /** What it was for, as `role`, and what else is to be said. */
  readonly annotations: Readonly<Record<string, Json | undefined>>;
}

/** The descriptor as JSON, without what is absent. */
export function resourceJson(resource: Resource): Json {
  return toPlainJson(resource);
}

const URI_PART = "(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-F]{2})*";
const URI = new RegExp(`^[a-z][a-z0-9+.-]*:${URI_PART}(?:#${URI_PART})?$`);
const UPPER_CASE_HOST = /^[^:]*:\/\/[^/?#]*[A-Z]/;

/** Whether a text is an absolute URI in the case-normalized form that in-toto's ResourceURI asks for. */
export function isResourceUri(text: string): boolean {
  return URI.test(text) && !UPPER_CASE_HOST.test(text);
}

const REPOSITORY_SCHEME = /^(?:https?|ssh|git|file):\/\/[^?#]*$/;

/** A commit of a repository, as SPDX's download locations have it; undefined for a path on a disk. */
export function commitUri(repository: string, commit: string): string | undefined {
  const uri = `git+${repository}@${commit}`;
  return REPOSITORY_SCHEME.test(repository) && isResourceUri(uri) ? uri : undefined;
}

/** A release of Node, as a package URL. */
export function nodeUri(version: string): string {
  return `pkg:generic/node@${encode(version)}`;
}

const IMAGE_REFERENCE = /^(?<path>[^@]*?)(?::(?<tag>[^:/@]*))?(?:@(?<digest>.*))?$/s;
const SHA256_DIGEST = /^sha256:([0-9a-f]{64})$/;
const DEFAULT_TAG = 'latest';

/**
 * A container image, as a package URL of type `docker`, with the digest its reference states.
 * Source: https://github.com/package-url/purl-spec, types/docker.
 */
export function imageResource(reference: string): Pick<Resource, 'uri' | 'digest'> {
  const { path = reference, tag, digest } = IMAGE_REFERENCE.exec(reference)?.groups ?? {};
  const [host = '', ...rest] = path.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(host) || host === 'localhost');
  const name = (hasHost ? rest : [host, ...rest]).map(encode).join('/');
  const registry = hasHost ? `?repository_url=${encode(host)}` : '';
  const sha256 = SHA256_DIGEST.exec(digest ?? '')?.[1];
  return {
    uri: `pkg:docker/${name}@${encode(digest ?? tag ?? DEFAULT_TAG)}${registry}`,
    ...(sha256 === undefined ? {} : { digest: { sha256 } }),
  };
}

/** Percent-encoding, for which half a surrogate pair has to be replaced. */
function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}
