/** What may be told of this machine and this program: nothing that names the machine or its user. */
import { arch, cpus, platform, release, type } from 'node:os';
import type { BuildHost } from '../index.ts';

export const VERSION = '0.1.0';

/** This program, as records and receipts name it. */
export const TOOL = `pkg ${VERSION}`;

/** The host as a build record has it. */
export function hostFacts(): BuildHost {
  const processors = cpus();
  return {
    node: process.versions.node,
    ...{ platform: platform(), arch: arch() },
    os: `${type()} ${release()}`,
    cpu: processors[0]?.model.trim() || 'unknown',
    cpus: Math.max(1, processors.length),
  };
}
