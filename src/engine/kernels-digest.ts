/** The SHA-256 of kernels.wasm, written by npm run build:kernels; part of the toolchain. */
export const KERNELS_DIGEST = '410ede6584a4e4a42d65758957fd133b868e7ededfdac36ac1a6aead65acc54c';
