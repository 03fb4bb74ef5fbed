/** The rules that make a status of an answer, one by one and together. */
import { describe, expect, it } from 'vitest';
import type { Inspection } from '../../src/images/decode.ts';
import type { PhotoAnswer } from '../../src/photos/answer.ts';
import { decideStatus, type Evidence, findPlaceholders } from '../../src/photos/status.ts';
import { digestOf } from '../../src/store/digest.ts';

const GOOD: Inspection = { status: 'ok', format: 'JPEG', widthPx: 640, heightPx: 480 };

/** Bytes that came: their name stands for their content. */
function bytes(content: string, sizeBytes = 1000): PhotoAnswer {
  const digest = digestOf(content);
  const url = 'https://photos.example/1.jpg';
  return { kind: 'bytes', httpStatus: 200, url, digest, sizeBytes, md5: `md5 of ${content}` };
}

function evidence(parts: Partial<Evidence> & Pick<Evidence, 'answer'>): Evidence {
  return { originalMd5: 'md5 of photo', originalSize: '1000', inspection: GOOD, ...parts };
}

const none = (status: 'missing' | 'gone' | 'placeholder' | 'too-large'): PhotoAnswer => ({
  kind: 'none',
  httpStatus: 404,
  url: 'https://photos.example/1.jpg',
  status,
  detail: `why ${status}`,
});

const decide = (parts: Partial<Evidence> & Pick<Evidence, 'answer'>, placeholders = ['']) =>
  decideStatus(evidence(parts), new Set(placeholders));

describe('decideStatus', () => {
  it.each(['missing', 'gone', 'placeholder', 'too-large'] as const)(
    'passes on that there is no photo: %s',
    (status) => {
      expect(decide({ answer: none(status), inspection: undefined })).toEqual({
        status,
        md5Matches: undefined,
        detail: `why ${status}`,
      });
    },
  );

  it('takes bytes of the promised MD5 for the photo, whatever their size in the metadata', () => {
    const ok = { status: 'ok', md5Matches: true, detail: '' };
    expect(decide({ answer: bytes('photo') })).toEqual(ok);
    expect(decide({ answer: bytes('photo'), originalSize: '7' })).toEqual(ok);
    expect(decide({ answer: bytes('photo'), originalSize: '' })).toEqual(ok);
    expect(decide({ answer: bytes('photo') }, [digestOf('photo')])).toEqual(ok);
  });

  it.each(['corrupt', 'unsupported', 'too-large'] as const)(
    'calls bytes that are no usable picture %s, even with the promised MD5',
    (status) => {
      const inspection: Inspection = { status, format: null, detail: 'what it is' };
      for (const content of ['photo', 'something else']) {
        expect(decide({ answer: bytes(content, 5), inspection })).toEqual({
          status,
          md5Matches: content === 'photo',
          detail: 'what it is',
        });
      }
    },
  );

  it('calls another picture of another size changed', () => {
    expect(decide({ answer: bytes('other', 999) })).toEqual({
      status: 'changed',
      md5Matches: false,
      detail: 'another photo than OriginalMD5 promises',
    });
    expect(decide({ answer: bytes('other'), originalSize: '' }).status).toBe('changed');
  });

  it('calls a picture of the promised size with another MD5 corrupt', () => {
    expect(decide({ answer: bytes('other', 1000) })).toMatchObject({
      status: 'corrupt',
      md5Matches: false,
    });
  });

  it('calls a known stand-in a placeholder, also where its size fits by chance', () => {
    const placeholders = [digestOf('sorry')];
    expect(decide({ answer: bytes('sorry', 1000) }, placeholders).status).toBe('placeholder');
    expect(decide({ answer: bytes('sorry', 5) }, placeholders).status).toBe('placeholder');
    expect(decide({ answer: bytes('other', 5) }, placeholders).status).toBe('changed');
  });

  it('has the size alone to go by where the metadata state no MD5', () => {
    const noMd5 = { originalMd5: '' };
    const answer = bytes('photo');
    expect(decide({ ...noMd5, answer })).toMatchObject({ status: 'ok', md5Matches: undefined });
    expect(decide({ ...noMd5, answer, originalSize: '' }).status).toBe('ok');
    expect(decide({ ...noMd5, answer, originalSize: '7' })).toMatchObject({
      status: 'changed',
      md5Matches: undefined,
      detail: 'another photo than OriginalSize promises',
    });
  });

  it('takes a greyscale photo for a photo', () => {
    const grey: Inspection = { ...GOOD, format: 'PNG' };
    expect(decide({ answer: bytes('photo'), inspection: grey }).status).toBe('ok');
    expect(decide({ answer: bytes('grey one', 7), inspection: grey }).status).toBe('changed');
  });
});

describe('findPlaceholders', () => {
  const promise = (content: string, promised: string, originalSize = '1000') =>
    evidence({ answer: bytes(content, 77), originalMd5: `md5 of ${promised}`, originalSize });
  const statuses = (all: readonly Evidence[], redirects: readonly string[] = []) => {
    const placeholders = findPlaceholders(all, redirects);
    return all.map((one) => decideStatus(one, placeholders).status);
  };

  it('finds bytes that came for several images and match none of them', () => {
    const all = [promise('sorry', 'a'), promise('b', 'b'), promise('sorry', 'c')];
    expect(findPlaceholders(all, [])).toEqual(new Set([digestOf('sorry')]));
    expect(statuses(all)).toEqual(['placeholder', 'ok', 'placeholder']);
  });

  it('finds the picture that a redirect led to, also where it comes only once', () => {
    const all = [promise('sorry', 'a'), promise('b', 'b')];
    expect(statuses(all)).toEqual(['changed', 'ok']);
    expect(statuses(all, [digestOf('sorry')])).toEqual(['placeholder', 'ok']);
  });

  it('leaves one photo under two ImageIDs alone, if both promise it', () => {
    expect(statuses([promise('twin', 'twin'), promise('twin', 'twin')])).toEqual(['ok', 'ok']);
  });

  it('leaves a replaced photo alone that two rows with equal metadata share', () => {
    expect(statuses([promise('new', 'old'), promise('new', 'old')])).toEqual([
      'changed',
      'changed',
    ]);
  });

  it('leaves a photo alone that came in the place of one other', () => {
    const all = [promise('a', 'a'), promise('a', 'b'), promise('c', 'c')];
    expect(statuses(all)).toEqual(['ok', 'changed', 'ok']);
  });

  it('leaves two pages of the same text corrupt', () => {
    const inspection: Inspection = { status: 'corrupt', format: null, detail: 'an HTML page' };
    const pages = [promise('page', 'a'), promise('page', 'b')].map((one) => ({
      ...one,
      inspection,
    }));
    expect(statuses(pages)).toEqual(['corrupt', 'corrupt']);
  });

  it('leaves photos without any metadata alone', () => {
    const bare = { ...promise('x', ''), originalMd5: '', originalSize: '' };
    expect(statuses([bare, bare])).toEqual(['ok', 'ok']);
  });

  it('makes nothing of images for which nothing came', () => {
    const gone = evidence({ answer: none('gone'), inspection: undefined });
    expect(findPlaceholders([gone, gone], [])).toEqual(new Set());
  });
});
