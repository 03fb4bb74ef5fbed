/** Randomness that is the same whenever the same seed is given. */

/** Replaces `Math.random` by sfc32, started with four integers; initializers and dropout draw from it. */
export function seedRandom([first, second, third, start]) {
  let [a, b, c, counter] = [first, second, third, start];
  const random = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  Object.defineProperty(Math, 'random', { value: random });
}
