// @ts-check
// Samples of some channels over one axis, the newest ones kept. Memory is taken once; adding makes no garbage.

export class Track {
  /** @param {number} channels @param {number} capacity samples that are kept */
  constructor(channels, capacity) {
    this.capacity = capacity;
    // Twice the room, so that what is kept always lies in one piece.
    this.xs = new Float64Array(capacity * 2);
    this.ys = Array.from({ length: channels }, () => new Float64Array(capacity * 2));
    this.start = 0;
    this.end = 0;
    /** Where samples are missing before the one at `x`, and how many. @type {{ x: number, missing: number }[]} */
    this.gaps = [];
  }

  get length() {
    return this.end - this.start;
  }

  get newest() {
    return this.length ? this.xs[this.end - 1] : NaN;
  }

  /** Makes room for one more sample and says where it is; the caller writes `ys` there. @param {number} x */
  add(x) {
    if (this.end === this.xs.length) this.compact();
    if (this.length === this.capacity) this.start += 1;
    this.xs[this.end] = x;
    this.end += 1;
    return this.end - 1;
  }

  /** @param {number} x of the first sample behind the gap @param {number} missing */
  gap(x, missing) {
    this.gaps.push({ x, missing });
    const oldest = this.length ? this.xs[this.start] : x;
    while (this.gaps.length && this.gaps[0].x < oldest) this.gaps.shift();
  }

  clear() {
    this.start = this.end = 0;
    this.gaps = [];
  }

  /** The first sample at or after `x`. @param {number} x */
  find(x) {
    let low = this.start;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.xs[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The sample nearest to `x`, -1 when there is none. @param {number} x */
  nearest(x) {
    if (!this.length) return -1;
    const after = Math.min(this.find(x), this.end - 1);
    const before = Math.max(after - 1, this.start);
    return Math.abs(this.xs[before] - x) <= Math.abs(this.xs[after] - x) ? before : after;
  }

  compact() {
    const { start, end } = this;
    this.xs.copyWithin(0, start, end);
    for (const values of this.ys) values.copyWithin(0, start, end);
    this.start = 0;
    this.end = end - start;
  }
}
