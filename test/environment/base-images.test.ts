/** The images a Dockerfile builds upon: found in every form, and refused where they are not pinned. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBaseImages } from '../../src/environment/base-images.ts';
import { BASE_IMAGE } from '../../src/environment/reproducing-dockerfile.ts';
import { PkgError } from '../../src/runtime/errors.ts';
import { ROOT } from '../support/shared.ts';

const A = `node:20@sha256:${'a'.repeat(64)}`;
const B = `ghcr.io:443/me/b@sha256:${'b'.repeat(64)}`;

const images = (text: string) => readBaseImages(Buffer.from(text), 'Dockerfile');

function problem(text: string): PkgError {
  try {
    images(text);
  } catch (error) {
    if (error instanceof PkgError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the images of a Dockerfile', () => {
  it.each([
    ['one', `FROM ${A}\nRUN true`, [A]],
    ['stages in any case, used by name', `from ${A} as Build\nFROM build\nFROM ${B}`, [A, B]],
    ['the same image twice', `FROM ${A} AS a\nFROM ${A}`, [A]],
    ['a platform', `FROM --platform=$BUILDPLATFORM ${A} AS a`, [A]],
    ['nothing', `FROM ${A} AS a\nFROM scratch\nCOPY --from=a /x /x`, [A]],
    ['only nothing', 'FROM scratch\nCOPY x /', []],
    ['an argument', `ARG BASE=${A}\nFROM \${BASE}`, [A]],
    [
      'quoted arguments in one line',
      `ARG X="node:20" Y='${'a'.repeat(64)}'\nFROM $X@sha256:$Y`,
      [A],
    ],
    ['a default in place', `ARG BASE\nFROM \${BASE:-${A}}`, [A]],
    ['a default within a default', `ARG B=${B}\nFROM \${A:-\${B}}`, [B]],
    ['another word where an argument is set', `ARG X=1\nFROM \${X:+${A}}`, [A]],
    ['lines that go on', `FROM \\\n# a comment\n\n  ${A} \\  \n AS a`, [A]],
    ['backticks that join lines', `# escape=\`\nFROM \`\n${A}\nRUN dir C:\\\nRUN dir`, [A]],
    ['line ends of Windows and a byte order mark', `\ufeffFROM ${A}\r\nRUN true\r\n`, [A]],
    ['a copy from an image', `FROM scratch\nCOPY --chown=1 --from=${B} /x /x`, [B]],
    ['a mount from an image', `FROM ${A}\nRUN --mount=type=bind,from=${B},target=/x true`, [A, B]],
    ['a copy from a stage by number', `FROM ${A}\nFROM scratch\nCOPY --from=0 /x /x`, [A]],
    ['a trigger', `FROM ${A}\nONBUILD COPY --from=${B} /x /x`, [A, B]],
    [
      'a here-document that holds FROM',
      `FROM ${A}\nRUN <<-"EOF" cat\nFROM node\n\tEOF\nUSER 1`,
      [A],
    ],
    ['two here-documents', `FROM ${A}\nCOPY <<a <<b /x/\nFROM x\na\nFROM y\nb\nUSER 1`, [A]],
    ['a shift, which is no here-document', `FROM ${A}\nRUN echo $((1<<3))\nUSER 1`, [A]],
    ['a comment that says FROM', `# FROM node\nFROM ${A}`, [A]],
  ])('are read of %s', (_, text, expected) => {
    expect(images(text)).toEqual(expected);
  });

  it.each([
    ['a tag', 'FROM scratch\nFROM node:20', 2, 'FROM node:20 names an image without its digest'],
    ['no tag', 'FROM node', 1, 'FROM node names an image without its digest'],
    ['a short digest', 'FROM node@sha256:abc', 1, 'is not followed by @sha256: and 64 digits'],
    ['a stage that comes later', 'FROM b\nFROM scratch AS b', 1, 'FROM b names an image'],
    ['an argument by tag', '# one\nARG B=node:20\nFROM $B', 3, 'FROM $B names an image'],
    ['an argument without default', 'ARG B\nFROM $B', 2, 'the build argument B has no default'],
    ['an argument of a stage', `FROM ${A}\nARG B=${B}\nFROM $B`, 3, 'B has no default'],
    ['a platform in the name', 'FROM a-$TARGETARCH', 1, 'known only to the machine that builds'],
    ['a pattern in an argument', `ARG B=${A}\nFROM \${B#x}`, 2, 'is no use of an argument'],
    ['a copy from a tag', 'FROM scratch\nCOPY --from=nginx:1 /x /x', 2, 'COPY from nginx:1 names'],
    ['a copy from itself', 'FROM scratch\nCOPY --from=1 /x /x', 2, 'COPY from 1 names'],
    ['a mount from a tag', 'FROM scratch\nRUN --mount=from=a:1 true', 2, 'RUN from a:1 names'],
    ['too many words', `FROM ${A} BUT b`, 1, 'is not understood'],
    ['no image', 'FROM', 1, 'is not understood'],
    ['a here-document without end', `FROM ${A}\nRUN <<EOF\nFROM x`, 2, 'does not end'],
  ])('are refused for %s, by line', (_, text, line, message) => {
    const error = problem(text);
    expect(error.code).toBe('manifest');
    expect(error.key).toBe('environment.dockerfile');
    expect(error.message).toMatch(new RegExp(`^Dockerfile:${String(line)}: `));
    expect(error.message).toContain(message);
  });

  it('come with a hint how to find the digest', () => {
    expect(problem('FROM node:20').hint).toBe(
      'Write node:20@sha256:<digest>; docker buildx imagetools inspect node:20 prints the digest.',
    );
  });

  it('are refused where there is no FROM, too many bytes, or arguments that grow without end', () => {
    expect(problem('node 20').message).toBe('Dockerfile has no FROM, so it is no Dockerfile');
    expect(problem('#'.repeat(2 ** 20 + 1)).message).toContain('is larger than');
    const doubled = Array.from(
      { length: 40 },
      (_, i) => `ARG A${String(i + 1)}=$A${String(i)}$A${String(i)}`,
    );
    const laughs = ['ARG A0=ha', ...doubled, 'FROM $A40'].join('\n');
    expect(problem(laughs).message).toContain('does not say which image');
  });

  it('show no control character of theirs', () => {
    expect(problem('FROM no\u{1b}[31mde').message).not.toContain('\u{1b}');
  });

  it('of this project are the one that it reproduces packages upon', async () => {
    expect(readBaseImages(await readFile(join(ROOT, 'Dockerfile')), 'Dockerfile')).toEqual([
      BASE_IMAGE,
    ]);
  });
});
