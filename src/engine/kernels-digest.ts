/** The SHA-256 of kernels.wasm, written by npm run build:kernels; part of the toolchain. */
export const KERNELS_DIGEST = '5c21d53a0253f5457d7d3f3aaf7222050c4c904a68b6901e0240aa2c7ca1b0b4';
