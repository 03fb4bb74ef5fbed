/** Matrix multiplication in plain JavaScript, four by four results at a time. */

/**
 * `out[i * columns + j] += sum over k of a[i * row + k * step] * b[k * step + j * column]`, for i below
 * rows, j below columns and k below depth, each from its `at` on. Sums are of 64 bits.
 */
export function multiply({ rows, columns, depth }, a, b, out) {
  const rowsEnd = rows - (rows % 4);
  const columnsEnd = columns - (columns % 4);
  const tile = { depth, columns, a: a.values, b: b.values, out: out.values };
  Object.assign(tile, { row: a.row, aStep: a.step, column: b.column, bStep: b.step });
  for (let i = 0; i < rowsEnd; i += 4) {
    for (let j = 0; j < columnsEnd; j += 4) {
      tile.aAt = (a.at ?? 0) + i * a.row;
      tile.bAt = (b.at ?? 0) + j * b.column;
      tile.outAt = (out.at ?? 0) + i * columns + j;
      multiplyTile(tile);
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let j = i < rowsEnd ? columnsEnd : 0; j < columns; j++) {
      tile.aAt = (a.at ?? 0) + i * a.row;
      tile.bAt = (b.at ?? 0) + j * b.column;
      tile.out[(out.at ?? 0) + i * columns + j] += productOf(tile);
    }
  }
}

/** One number: a row times a column. */
function productOf({ a, aAt, aStep, b, bAt, bStep, depth }) {
  let sum = 0;
  for (let k = 0; k < depth; k++) sum += a[aAt + k * aStep] * b[bAt + k * bStep];
  return sum;
}

/** Sixteen numbers: four rows times four columns. Names of sums are row and column. */
function multiplyTile({ a, b, out, aAt, bAt, outAt, row, aStep, column, bStep, depth, columns }) {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = ZEROS;
  let [s20, s21, s22, s23, s30, s31, s32, s33] = ZEROS;
  let at = aAt;
  let bt = bAt;
  for (let k = 0; k < depth; k++) {
    const p0 = a[at];
    const p1 = a[at + row];
    const p2 = a[at + 2 * row];
    const p3 = a[at + 3 * row];
    const q0 = b[bt];
    const q1 = b[bt + column];
    const q2 = b[bt + 2 * column];
    const q3 = b[bt + 3 * column];
    s00 += p0 * q0;
    s01 += p0 * q1;
    s02 += p0 * q2;
    s03 += p0 * q3;
    s10 += p1 * q0;
    s11 += p1 * q1;
    s12 += p1 * q2;
    s13 += p1 * q3;
    s20 += p2 * q0;
    s21 += p2 * q1;
    s22 += p2 * q2;
    s23 += p2 * q3;
    s30 += p3 * q0;
    s31 += p3 * q1;
    s32 += p3 * q2;
    s33 += p3 * q3;
    at += aStep;
    bt += bStep;
  }
  add(out, outAt, [s00, s01, s02, s03]);
  add(out, outAt + columns, [s10, s11, s12, s13]);
  add(out, outAt + 2 * columns, [s20, s21, s22, s23]);
  add(out, outAt + 3 * columns, [s30, s31, s32, s33]);
}

const ZEROS = new Array(8).fill(0);

function add(out, at, sums) {
  out[at] += sums[0];
  out[at + 1] += sums[1];
  out[at + 2] += sums[2];
  out[at + 3] += sums[3];
}
