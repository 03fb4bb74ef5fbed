/** Layers with the settings that most tests take, each in a word. */
import type { Activation, LayerSpec, Padding } from '../../src/classifier/classifier.ts';

type Spec<Kind> = Extract<LayerSpec, { readonly kind: Kind }>;

/** A convolution of 3 x 3 with a bias, unless said otherwise. */
export function conv(filters: number, settings: Partial<Spec<'conv2d'>> = {}): LayerSpec {
  const usual = { kernelSize: 3, strides: 1, padding: 'valid', activation: 'relu' } as const;
  return { kind: 'conv2d', filters, useBias: true, ...usual, ...settings };
}

export function maxPool(poolSize = 2, strides = poolSize, padding: Padding = 'valid'): LayerSpec {
  return { kind: 'maxPooling2d', poolSize, strides, padding };
}

export function averagePool(
  poolSize = 2,
  strides = poolSize,
  padding: Padding = 'valid',
): LayerSpec {
  return { kind: 'averagePooling2d', poolSize, strides, padding };
}

export function dense(units: number, activation: Activation = 'relu', useBias = true): LayerSpec {
  return { kind: 'dense', units, activation, useBias };
}

export function activation(name: Activation): LayerSpec {
  return { kind: 'activation', function: name };
}

export function dropout(rate: number): LayerSpec {
  return { kind: 'dropout', rate };
}

export function normalization(momentum = 0.9, epsilon = 0.01): LayerSpec {
  return { kind: 'batchNormalization', momentum, epsilon };
}

export const FLATTEN: LayerSpec = { kind: 'flatten' };

export const GLOBAL_AVERAGE: LayerSpec = { kind: 'globalAveragePooling2d' };
