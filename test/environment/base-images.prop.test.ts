/** Random Dockerfiles: what is written is read, and nothing but a PkgError comes of any text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBaseImages } from '../../src/environment/base-images.ts';
import { PkgError } from '../../src/runtime/errors.ts';

const name = fc.stringMatching(
  /^[a-z][a-z0-9]{0,5}(?:[./][a-z0-9]{1,4}){0,2}(?::[a-z0-9.]{1,5})?$/,
);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const image = fc.tuple(name, digest).map(([of, hash]) => `${of}@sha256:${hash}`);

/** An instruction that names no image. */
const other = fc.constantFrom(
  ...['RUN echo FROM node', 'ENV FROM=node', '# FROM node', '', 'USER 1', 'LABEL a="FROM b"'],
  ...['RUN a \\\n  FROM node', 'RUN <<E\nFROM node\nE', 'COPY . .'],
);

/** FROM, with its parts spread over lines and its image written in or given by an argument. */
const stage = fc.record({
  image,
  by: fc.constantFrom('name', 'argument', 'default'),
  gap: fc.constantFrom(' ', '  ', '\t', ' \\\n ', ' \\\n# comment\n'),
  platform: fc.boolean(),
  rest: fc.array(other, { maxLength: 3 }),
});

describe('readBaseImages', () => {
  it('reads the images that were written, in order, each once', () => {
    fc.assert(
      fc.property(
        fc.array(stage, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (stages, windows) => {
          const declared = stages.map((of, index) =>
            of.by === 'argument' ? `ARG I${String(index)}=${of.image}` : '',
          );
          const built = stages.map((of, index) => {
            const written = {
              name: of.image,
              argument: `\${I${String(index)}}`,
              default: `\${NONE-${of.image}}`,
            }[of.by];
            const from = ['FROM', ...(of.platform ? ['--platform=linux/arm64'] : []), written];
            return [[...from, 'AS', `S${String(index)}`].join(of.gap), ...of.rest].join('\n');
          });
          const text = [...declared, ...built].join('\n');
          const bytes = Buffer.from(windows ? text.replaceAll('\n', '\r\n') : text);
          expect(readBaseImages(bytes, 'f')).toEqual([...new Set(stages.map((of) => of.image))]);
        },
      ),
    );
  });

  it('throws nothing but a PkgError of the manifest', () => {
    const word = fc.constantFrom(
      ...[
        'FROM',
        'ARG',
        'COPY',
        'RUN',
        'ONBUILD',
        '--from=',
        '--mount=from=',
        ' ',
        '\n',
        '\\\n',
        '$',
      ],
      ...['${', '}', ':-', '<<E', '"', "'", '=', 'a', '# escape=`\n', '@sha256:', '\0', '`\n', '{'],
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 60 }).map((words) => words.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (random) => {
        try {
          readBaseImages(Buffer.from(random), 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(PkgError);
          expect((error as PkgError).code).toBe('manifest');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
