/** The images that a Dockerfile builds upon, each of which must be named by digest. */
import { type BuildArguments, expandArguments } from './build-arguments.ts';
import { dockerfileError, type Instruction, parseDockerfile, splitWords } from './dockerfile.ts';
import { printable } from './printable.ts';

/** An image's name, a tag if it likes, and its digest, which alone decides. */
const PINNED_IMAGE = /^[^\s@]+@sha256:[0-9a-f]{64}$/;

/** The image of nothing; it needs no digest. */
const EMPTY_IMAGE = 'scratch';

/** What was read so far. */
interface Reading {
  readonly file: string;
  readonly known: Map<string, string | undefined>;
  /** Names of stages, in small letters; a stage without a name has its number alone. */
  readonly stages: Set<string>;
  stageCount: number;
  readonly images: Set<string>;
}

/**
 * The images that a Dockerfile takes anything from, by digest: of every FROM, and of every COPY or mount from
 * an image, in their order, each once. Stages of its own and `scratch` are left out. Build arguments are filled
 * in with their defaults.
 * @throws PkgError `manifest`, with line and key, for an image that is named otherwise.
 */
export function readBaseImages(bytes: Uint8Array, file: string): readonly string[] {
  const reading: Reading = {
    ...{ file, known: new Map(), stages: new Set(), stageCount: 0, images: new Set() },
  };
  for (const instruction of parseDockerfile(bytes, file)) readInstruction(reading, instruction);
  if (reading.stageCount === 0) {
    throw dockerfileError(
      `${file} has no FROM, so it is no Dockerfile`,
      'Name the Dockerfile that the package is made in.',
    );
  }
  return [...reading.images];
}

function readInstruction(reading: Reading, instruction: Instruction): void {
  const { keyword, rest } = instruction;
  if (keyword === 'ONBUILD') {
    const [inner = ''] = rest.split(/\s/, 1);
    const nested = { keyword: inner.toUpperCase(), rest: rest.slice(inner.length).trim() };
    if (nested.keyword !== 'ONBUILD') readInstruction(reading, { ...instruction, ...nested });
  }
  if (keyword === 'ARG' && reading.stageCount === 0) readArguments(reading, instruction);
  if (keyword === 'FROM') readFrom(reading, instruction);
  if (keyword === 'COPY' || keyword === 'RUN') {
    for (const source of imageSources(keyword, rest)) readSource(reading, instruction, source);
  }
}

function readArguments({ known }: Reading, { rest }: Instruction): void {
  for (const word of splitWords(rest)) {
    const [name = ''] = word.split('=', 1);
    const isDefined = name.length < word.length;
    const value = isDefined ? expandArguments(word.slice(name.length + 1), known) : undefined;
    known.set(name, value !== undefined && 'text' in value ? value.text : undefined);
  }
}

function readFrom(reading: Reading, { rest, line }: Instruction): void {
  const place = `${reading.file}:${String(line)}`;
  const words = splitWords(rest).filter((word) => !word.startsWith('--'));
  const [image = '', as, stage] = words;
  if (image === '' || (words.length > 1 && (as?.toUpperCase() !== 'AS' || words.length !== 3))) {
    throw dockerfileError(
      `${place}: FROM ${printable(rest)} is not understood`,
      'It reads: FROM image@sha256:<digest> AS stage',
    );
  }
  const name = imageName(image, reading.known, place);
  if (!reading.stages.has(name.toLowerCase()) && name !== EMPTY_IMAGE) {
    addImage(reading, name, `${place}: FROM ${printable(image)}`);
  }
  reading.stageCount++;
  if (stage !== undefined) reading.stages.add(stage.toLowerCase());
}

function imageName(image: string, known: BuildArguments, place: string): string {
  const expanded = expandArguments(image, known);
  if ('text' in expanded) return expanded.text;
  throw dockerfileError(
    `${place}: FROM ${printable(image)} does not say which image: ${printable(expanded.problem)}`,
    'Write the image with its digest, or give the argument a default above the first FROM.',
  );
}

/** What `COPY --from=` and `RUN --mount=...,from=` name: a stage, its number or an image. */
function imageSources(keyword: string, rest: string): readonly string[] {
  const sources: string[] = [];
  for (const word of splitWords(rest)) {
    if (!word.startsWith('--')) break;
    const flag = word.replace(/["']/g, '');
    if (keyword === 'COPY' && flag.startsWith('--from='))
      sources.push(flag.slice('--from='.length));
    if (keyword !== 'RUN' || !flag.startsWith('--mount=')) continue;
    for (const setting of flag.slice('--mount='.length).split(',')) {
      if (setting.startsWith('from=')) sources.push(setting.slice('from='.length));
    }
  }
  return sources;
}

function readSource(reading: Reading, { keyword, line }: Instruction, source: string): void {
  const isNumber = /^\d{1,6}$/.test(source) && Number(source) < reading.stageCount;
  if (isNumber || reading.stages.has(source.toLowerCase()) || source === EMPTY_IMAGE) return;
  addImage(
    reading,
    source,
    `${reading.file}:${String(line)}: ${keyword} from ${printable(source)}`,
  );
}

function addImage(reading: Reading, name: string, what: string): void {
  if (!PINNED_IMAGE.test(name)) {
    const plain = printable(name.split('@', 1)[0] ?? '');
    const how = name.includes('@')
      ? 'is not followed by @sha256: and 64 digits'
      : 'names an image without its digest, so another one may come tomorrow';
    throw dockerfileError(
      `${what} ${how}`,
      `Write ${plain}@sha256:<digest>; docker buildx imagetools inspect ${plain} prints the digest.`,
    );
  }
  reading.images.add(name);
}
