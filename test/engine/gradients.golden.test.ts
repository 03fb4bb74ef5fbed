/** Every kernel's gradient against TensorFlow.js' cpu backend, on small shapes, in memory full of NaN. */
import { describe, expect, it } from 'vitest';
import type { Activation, LayerSpec } from '../../src/classifier/classifier.ts';
import { apartFromTfjs, CLOSE } from './agreement.ts';
import {
  activation,
  averagePool,
  conv,
  dense,
  dropout,
  FLATTEN,
  GLOBAL_AVERAGE,
  maxPool,
  normalization,
} from './layers.ts';

type Input = readonly [number, number, number];
type Setting = Parameters<typeof apartFromTfjs>[2];

const CHANNELS = [1, 3, 4, 5, 8, 12, 17];
const ACTIVATIONS: readonly Activation[] = ['relu', 'tanh', 'linear', 'sigmoid', 'softmax'];

/** Ends of networks: for two classes, and for more. */
const BINARY = dense(1, 'sigmoid');
const CATEGORICAL = dense(3, 'softmax');

interface Case {
  readonly input: Input;
  readonly specs: readonly LayerSpec[];
  readonly setting?: Setting;
}

/** Fails with the case that is farthest apart. */
async function expectClose(cases: readonly Case[]): Promise<void> {
  const far: string[] = [];
  for (const { input, specs, setting } of cases) {
    const { what, error } = await apartFromTfjs(input, specs, setting);
    if (error < CLOSE) continue;
    far.push(`${what}: ${String(error)} of ${input.join(' x ')}, ${JSON.stringify(specs)}`);
  }
  expect(far).toEqual([]);
}

/** A convolution that gives so many channels, for another one to read. */
const giving = (channels: number) => conv(channels, { kernelSize: 1, activation: 'tanh' });

describe('a convolution has the gradients of TensorFlow.js', () => {
  const shapes = [1, 3, 5].flatMap((kernelSize) =>
    [1, 2].flatMap((strides) =>
      (['valid', 'same'] as const).map((padding) => ({ kernelSize, strides, padding })),
    ),
  );

  it.each(shapes)(
    'with a kernel of $kernelSize, strides of $strides and padding $padding',
    async (shape) => {
      const cases = CHANNELS.map((inputs, index): Case => {
        const filters = CHANNELS[(index * 3 + shape.kernelSize) % CHANNELS.length] ?? 1;
        const name = ACTIVATIONS[(index + shape.strides) % ACTIVATIONS.length] ?? 'relu';
        const settings = { ...shape, activation: name, useBias: index % 2 === 0 };
        const specs = [giving(inputs), conv(filters, settings), FLATTEN, CATEGORICAL];
        return { input: [7, 6, 3], specs, setting: { batchSize: 2 } };
      });
      await expectClose(cases);
    },
  );

  it.each(CHANNELS)('on pictures of %i channels', async (channels) => {
    const settings = { batchSize: 2 };
    await expectClose(
      [
        conv(8),
        conv(5, { padding: 'same' }),
        conv(4, { kernelSize: 5, strides: 2, padding: 'same', activation: 'tanh' }),
        conv(6, { kernelSize: 1 }),
      ].map((first) => ({
        input: [7, 9, channels],
        specs: [first, FLATTEN, BINARY],
        setting: settings,
      })),
    );
  });

  it('on maps narrower than the tile of a kernel', async () => {
    const cases = [4, 8].flatMap((inputs) =>
      [1, 2, 3, 4, 5].flatMap((columns) =>
        [1, 2, 3].map((rows): Case => {
          const specs = [giving(inputs), conv(5, { activation: 'relu' }), FLATTEN, BINARY];
          return { input: [rows + 2, columns + 2, 3], specs, setting: { batchSize: 2 } };
        }),
      ),
    );
    await expectClose(cases);
  });

  it('on a map of one pixel', async () => {
    const specs = [5, 3, 1].map((kernelSize) => conv(9, { kernelSize, padding: 'same' }));
    await expectClose([{ input: [1, 1, 3], specs: [...specs, FLATTEN, BINARY] }]);
  });

  it('on maps wider than a block of tiles', async () => {
    await expectClose([
      { input: [5, 75, 3], specs: [giving(8), conv(4), FLATTEN, BINARY] },
      { input: [4, 64, 3], specs: [giving(8), conv(9, { padding: 'same' }), FLATTEN, BINARY] },
      { input: [4, 133, 3], specs: [giving(9), conv(5, { padding: 'same' }), FLATTEN, BINARY] },
    ]);
  });
});

describe('a convolution with ReLU and the max-pool after it has the gradients of TensorFlow.js', () => {
  const sizes: readonly (readonly [number, number])[] = [
    ...([
      [4, 4],
      [5, 5],
      [6, 7],
      [7, 6],
      [4, 5],
      [5, 4],
      [9, 11],
      [12, 10],
    ] as const),
  ];

  it.each([1, 3, 4, 8, 12, 17])('where it reads %i channels', async (inputs) => {
    const cases = sizes.map(([height, width], index): Case => {
      const filters = CHANNELS[(index + inputs) % CHANNELS.length] ?? 1;
      const fused = [conv(filters, { useBias: index % 3 !== 0 }), maxPool()];
      const specs = [giving(inputs), ...fused, FLATTEN, dense(4), BINARY];
      return { input: [height, width, 3], specs, setting: { batchSize: 3 } };
    });
    await expectClose(cases);
  });

  it.each([1, 3, 5])('with a kernel of %i', async (kernelSize) => {
    const cases = [1, 2].flatMap((strides) =>
      [4, 9].map((inputs): Case => {
        const fused = [conv(6, { kernelSize, strides, padding: 'same' }), maxPool()];
        return { input: [9, 10, 3], specs: [giving(inputs), ...fused, FLATTEN, BINARY] };
      }),
    );
    await expectClose(cases);
  });

  it('where the pool pads, which adds nothing to even sides', async () => {
    await expectClose([
      { input: [8, 6, 3], specs: [conv(8), maxPool(2, 2, 'same'), FLATTEN, BINARY] },
      { input: [9, 7, 3], specs: [conv(8), maxPool(2, 2, 'same'), FLATTEN, BINARY] },
      { input: [8, 7, 3], specs: [conv(8), conv(8), maxPool(2, 2, 'same'), FLATTEN, BINARY] },
    ]);
  });

  it('on maps wider than a block of tiles', async () => {
    await expectClose([
      { input: [4, 75, 3], specs: [giving(8), conv(4), maxPool(), FLATTEN, BINARY] },
      { input: [7, 132, 3], specs: [giving(12), conv(9), maxPool(), FLATTEN, BINARY] },
    ]);
  });

  it('one after the other, as in the article', async () => {
    const blocks = [conv(8), maxPool(), conv(8), maxPool(), conv(12), maxPool()];
    const specs = [...blocks, FLATTEN, dense(16), dropout(0.5), BINARY];
    await expectClose([{ input: [30, 34, 3], specs, setting: { batchSize: 4, threads: 2 } }]);
  });
});

describe('a pool has the gradients of TensorFlow.js', () => {
  const windows = [2, 3].flatMap((size) =>
    [1, 2, 3].flatMap((strides) =>
      (['valid', 'same'] as const).map((padding) => ({ size, strides, padding })),
    ),
  );

  it.each(windows)(
    'of $size, with strides of $strides and padding $padding',
    async ({ size, strides, padding }) => {
      const cases = [maxPool, averagePool].flatMap((pool) =>
        [3, 8].map((channels): Case => {
          const window = pool(size, strides, padding);
          const specs = [conv(channels, { activation: 'tanh' }), window, FLATTEN, CATEGORICAL];
          return { input: [8, 9, 3], specs, setting: { batchSize: 2 } };
        }),
      );
      await expectClose(cases);
    },
  );

  it('over the whole map', async () => {
    const specs = (channels: number) => [conv(channels), GLOBAL_AVERAGE, CATEGORICAL];
    const cases = CHANNELS.map((channels): Case => ({ input: [6, 5, 3], specs: specs(channels) }));
    await expectClose(cases);
  });

  it('on the picture itself, in front of a convolution', async () => {
    await expectClose(
      [maxPool(2), averagePool(3, 2, 'same')].map((pool) => ({
        input: [11, 9, 3],
        specs: [pool, conv(5), pool, conv(8, { padding: 'same' }), FLATTEN, BINARY],
      })),
    );
  });
});

describe('a vector has the gradients of TensorFlow.js', () => {
  it.each(CHANNELS)('flattened of %i channels', async (channels) => {
    const cases = [1, 5].flatMap((side) =>
      [conv(channels, { kernelSize: 1 }), giving(channels)].map((first): Case => {
        return { input: [side, 3, 3], specs: [first, FLATTEN, dense(5, 'tanh'), BINARY] };
      }),
    );
    await expectClose(cases);
  });

  it.each(ACTIVATIONS)('after dense layers of %s', async (name) => {
    const cases = [1, 3, 4, 8, 9, 64].flatMap((units) =>
      [true, false].map((useBias): Case => {
        const specs = [FLATTEN, dense(7, 'tanh'), dense(units, name, useBias), CATEGORICAL];
        return { input: [3, 3, 3], specs };
      }),
    );
    await expectClose(cases);
  });

  it('of more numbers than a task takes', async () => {
    const cases = [63, 64, 65, 70, 200, 1031].map((width): Case => {
      const specs = [giving(1), FLATTEN, dense(12, 'tanh'), BINARY];
      return { input: [1, width, 1], specs };
    });
    await expectClose(cases);
  });

  it('without anything in front of it', async () => {
    await expectClose([
      { input: [5, 3, 3], specs: [FLATTEN, BINARY] },
      { input: [4, 4, 4], specs: [FLATTEN, CATEGORICAL] },
      { input: [2, 2, 3], specs: [GLOBAL_AVERAGE, dense(3), activation('softmax')] },
    ]);
  });
});

describe('an activation layer has the gradients of TensorFlow.js', () => {
  it.each(ACTIVATIONS)('of %s', async (name) => {
    const layer = activation(name);
    await expectClose([
      {
        input: [6, 5, 3],
        specs: [layer, conv(5, { activation: 'linear' }), layer, FLATTEN, BINARY],
      },
      { input: [6, 5, 3], specs: [conv(6), maxPool(), layer, FLATTEN, layer, dense(3), BINARY] },
      { input: [4, 4, 3], specs: [FLATTEN, dense(6, 'linear'), layer, CATEGORICAL] },
    ]);
  });

  it.each(ACTIVATIONS)('of %s after a layer with an activation of its own', async (name) => {
    const layer = activation(name);
    const cases = ACTIVATIONS.flatMap((own): Case[] => [
      { input: [6, 5, 3], specs: [conv(5, { activation: own }), layer, FLATTEN, BINARY] },
      { input: [4, 4, 3], specs: [FLATTEN, dense(6, own), layer, CATEGORICAL] },
      { input: [4, 4, 3], specs: [giving(4), FLATTEN, activation(own), layer, CATEGORICAL] },
    ]);
    await expectClose(cases);
  });

  it('at the end, after a dense layer of any activation', async () => {
    const cases = ACTIVATIONS.flatMap((own): Case[] => [
      { input: [4, 4, 3], specs: [FLATTEN, dense(1, own), activation('sigmoid')] },
      { input: [4, 4, 3], specs: [FLATTEN, dense(3, own), activation('softmax')] },
    ]);
    await expectClose(cases.filter(({ specs }) => specs[1] !== undefined));
  });
});

describe('batch normalization has the gradients of TensorFlow.js', () => {
  const linear = { activation: 'linear', useBias: false } as const;

  it.each(CHANNELS)('of a map of %i channels', async (channels) => {
    const normalized = [conv(channels, linear), normalization(), activation('relu')];
    const specs = [...normalized, maxPool(), FLATTEN, dense(5), BINARY];
    await expectClose([{ input: [9, 8, 3], specs, setting: { batchSize: 4 } }]);
  });

  it('of a vector, of a picture, and twice', async () => {
    await expectClose([
      {
        input: [4, 4, 3],
        specs: [FLATTEN, dense(6, 'linear', false), normalization(), activation('tanh'), BINARY],
        setting: { batchSize: 9 },
      },
      { input: [6, 5, 3], specs: [normalization(), conv(5), GLOBAL_AVERAGE, CATEGORICAL] },
      {
        input: [6, 5, 3],
        specs: [conv(6, linear), normalization(0.5, 0.1), normalization(), FLATTEN, CATEGORICAL],
      },
    ]);
  });

  it('where a bias before it has none', async () => {
    const specs = [conv(6, { activation: 'linear' }), normalization(), FLATTEN, CATEGORICAL];
    await expectClose([{ input: [8, 7, 3], specs }]);
  });
});

describe('dropout has the gradients of TensorFlow.js under the same mask', () => {
  it.each([0, 0.25, 0.5, 0.9])('with a rate of %f', async (rate) => {
    await expectClose([
      { input: [6, 5, 3], specs: [conv(5), dropout(rate), conv(3), FLATTEN, BINARY] },
      { input: [6, 5, 3], specs: [conv(6), maxPool(), FLATTEN, dropout(rate), dense(9), BINARY] },
      { input: [3, 3, 3], specs: [dropout(rate), FLATTEN, dense(6), dropout(rate), CATEGORICAL] },
    ]);
  });
});

describe('a batch has the loss and the gradients of TensorFlow.js', () => {
  const specs = [
    conv(5),
    maxPool(),
    conv(6, { activation: 'linear', useBias: false, padding: 'same' }),
    normalization(),
    activation('relu'),
    FLATTEN,
    dropout(0.3),
    dense(9, 'tanh'),
  ];

  it.each([1, 2, 3, 5, 16, 17, 33])('where it may have %i examples', async (batchSize) => {
    const counts = [...new Set([1, Math.ceil(batchSize / 2), batchSize - 1, batchSize])];
    const cases = counts
      .filter((count) => count > 0)
      .map((count): Case => {
        const end = count % 2 === 0 ? CATEGORICAL : BINARY;
        return { input: [7, 8, 3], specs: [...specs, end], setting: { batchSize, count } };
      });
    await expectClose(cases);
  });

  it('with one sigmoid, several sigmoids, and softmax', async () => {
    const ends = [dense(1, 'sigmoid'), dense(2, 'sigmoid'), dense(5, 'sigmoid')];
    const softmaxes = [dense(2, 'softmax'), dense(4, 'softmax'), dense(9, 'softmax')];
    const cases = [...ends, ...softmaxes].map((end): Case => {
      return { input: [6, 6, 3], specs: [conv(4), FLATTEN, end], setting: { batchSize: 7 } };
    });
    await expectClose(cases);
  });
});
