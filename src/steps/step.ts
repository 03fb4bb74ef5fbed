/** A step: one kind of work, told by its name and parameters, from trees to trees. */

import type { CropParams, FetchParams, QueryParams, SplitParams } from '../manifest/manifest.ts';
import type { ModelParams } from '../manifest/model.ts';
import type { Digest } from '../store/digest.ts';
import type { Tree } from '../store/tree.ts';
import type { FurtherPart } from '../summaries/summaries.ts';

/** What a step does, without anything that changes no byte of its result. */
export type StepSpec =
  | { readonly name: 'query'; readonly params: QueryParams & { readonly seed: number } }
  | {
      readonly name: 'exclude';
      /** Selected images that are left out, by ImageID or author. */
      readonly params: { readonly without: readonly string[] };
    }
  | { readonly name: 'dataset'; readonly params: Readonly<Record<string, never>> }
  | {
      readonly name: 'fetch';
      readonly params: Pick<FetchParams, 'maxBytes' | 'changed' | 'from'> & {
        /** The addresses of the image tables, which relative photo addresses are relative to. */
        readonly tables: readonly string[];
      };
    }
  | { readonly name: 'crop'; readonly params: CropParams & Pick<FetchParams, 'changed'> }
  | { readonly name: 'split'; readonly params: SplitParams & { readonly seed: number } }
  | {
      readonly name: 'examples';
      readonly params: { readonly widthPx: number; readonly heightPx: number };
    }
  | { readonly name: 'train'; readonly params: ModelParams & { readonly seed: number } }
  | { readonly name: 'evaluate'; readonly params: Readonly<Record<string, never>> }
  | {
      readonly name: 'summarize';
      readonly params: {
        readonly name: string;
        readonly description: string | undefined;
        readonly license: string | undefined;
        readonly seed: number;
        /** What trains a classifier on the crops, where something does. */
        readonly engine: ModelParams['engine'] | undefined;
        /** What the package holds besides, that only some do; absent where that is nothing. */
        readonly holds: readonly FurtherPart[] | undefined;
      };
    };

export type StepName = StepSpec['name'];

/** Trees by the names that later steps ask for them by. */
export type StepInputs = Readonly<Record<string, Tree>>;
export type StepOutputs = Readonly<Record<string, Tree>>;

/** The cache key of a step: spec, inputs and toolchain, hashed. */
export type StepKey = Digest;
