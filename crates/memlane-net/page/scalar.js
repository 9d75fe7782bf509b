// @ts-check
// Scalars as bytes, as numbers, and as text that people read and type. Integers of 64 bits stay exact.

/** @typedef {import('./schema.js').Scalar} Scalar */
/** @typedef {number | bigint | boolean | Uint8Array} Datum */

/** What is typed for a truth value. @type {Record<string, boolean>} */
const TRUTHS = { true: true, 1: true, false: false, 0: false };

/**
 * A function that reads scalars of a type: the number at an offset. Integers of 64 bits are rounded, truth values 0 or 1.
 * @param {Scalar} type
 * @returns {(view: DataView, offset: number) => number}
 */
export function numberReader({ sort, size, little }) {
  switch (`${sort}${size}`) {
    case 'bool1': return (view, offset) => (view.getUint8(offset) ? 1 : 0);
    case 'int1': return (view, offset) => view.getInt8(offset);
    case 'int2': return (view, offset) => view.getInt16(offset, little);
    case 'int4': return (view, offset) => view.getInt32(offset, little);
    case 'int8': return (view, offset) => Number(view.getBigInt64(offset, little));
    case 'uint1': return (view, offset) => view.getUint8(offset);
    case 'uint2': return (view, offset) => view.getUint16(offset, little);
    case 'uint4': return (view, offset) => view.getUint32(offset, little);
    case 'uint8': return (view, offset) => Number(view.getBigUint64(offset, little));
    case 'float2': return (view, offset) => fromHalf(view.getUint16(offset, little));
    case 'float4': return (view, offset) => view.getFloat32(offset, little);
    case 'float8': return (view, offset) => view.getFloat64(offset, little);
    default: return () => NaN;
  }
}

/** @param {Scalar} type @param {DataView} view @returns {Datum} */
export function read(type, view, offset = 0) {
  const { sort, size, little } = type;
  if (sort === 'bytes') return new Uint8Array(view.buffer, view.byteOffset + offset, size).slice();
  if (size === 8 && sort === 'int') return view.getBigInt64(offset, little);
  if (size === 8 && sort === 'uint') return view.getBigUint64(offset, little);
  const number = numberReader(type)(view, offset);
  return sort === 'bool' ? number !== 0 : number;
}

/**
 * For people and to be typed again: the shortest that gives the same bytes.
 * @param {Scalar} type @param {Datum} datum
 */
export function text(type, datum) {
  if (datum instanceof Uint8Array) return bytesText(datum);
  if (Object.is(datum, -0)) return '-0';
  if (type.sort === 'float' && type.size < 8) return shortest(Number(datum), type.size);
  return String(datum);
}

/** @param {number} number @param {number} size */
function shortest(number, size) {
  if (!Number.isFinite(number)) return String(number);
  const round = size === 4 ? Math.fround : (/** @type {number} */ value) => fromHalf(toHalf(value));
  for (let digits = 1; digits < 10; digits += 1) {
    const short = Number(number.toPrecision(digits));
    if (round(short) === number) return String(short);
  }
  return String(number);
}

/** @param {Uint8Array} bytes */
function bytesText(bytes) {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end));
  } catch {
    return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  }
}

/**
 * The bytes of what a person typed; a RangeError says what would have fitted.
 * @param {Scalar} type @param {string} typed
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encode(type, typed) {
  const { sort, size, little } = type;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const word = typed.trim();
  if (sort === 'bytes') {
    const content = /^0x([0-9a-f]{2})+$/i.test(word) ? fromHex(word.slice(2)) : new TextEncoder().encode(typed);
    if (content.length > size) throw new RangeError(`expected up to ${size} bytes, found ${content.length}`);
    bytes.set(content);
  } else if (sort === 'bool') {
    if (!(word in TRUTHS)) throw new RangeError(`expected true or false, found “${word}”`);
    bytes[0] = TRUTHS[word] ? 1 : 0;
  } else if (sort === 'float') {
    const number = /^[+-]?inf(inity)?$/i.test(word) ? (word[0] === '-' ? -Infinity : Infinity) : Number(word);
    if (word === '' || (Number.isNaN(number) && !/^nan$/i.test(word))) throw new RangeError(`expected a number, found “${word}”`);
    setFloat(view, size, number, little);
  } else {
    setInteger(view, type, wholeOf(type, word));
  }
  return bytes;
}

/** Least and greatest of an integer type. @param {Scalar} type @returns {[bigint, bigint]} */
export function limits({ sort, size }) {
  const bits = BigInt(size * 8);
  return sort === 'int' ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

/** @param {Scalar} type @param {string} word */
function wholeOf(type, word) {
  const [least, greatest] = limits(type);
  const misfit = () => new RangeError(`expected a whole number from ${least} to ${greatest}, found “${word}”`);
  let whole;
  try {
    whole = /^[+-]?\d+$|^0x[0-9a-f]+$/i.test(word) ? BigInt(word.replace(/^\+/, '')) : BigInt(word === '' ? NaN : Number(word));
  } catch {
    throw misfit();
  }
  if (whole < least || whole > greatest) throw misfit();
  return whole;
}

/** @param {DataView} view @param {Scalar} type @param {bigint} whole */
function setInteger(view, { size, little }, whole) {
  for (let index = 0; index < size; index += 1) {
    view.setUint8(little ? index : size - 1 - index, Number((whole >> BigInt(index * 8)) & 0xffn));
  }
}

/** @param {DataView} view @param {number} size @param {number} number @param {boolean} little */
function setFloat(view, size, number, little) {
  if (size === 8) view.setFloat64(0, number, little);
  else if (size === 4) view.setFloat32(0, number, little);
  else view.setUint16(0, toHalf(number), little);
  if (Number.isFinite(number) && !Number.isFinite(numberReader({ sort: 'float', size, little })(view, 0))) {
    throw new RangeError(`expected a number that fits ${size * 8} bits, found ${number}`);
  }
}

/** @param {string} digits two a byte */
export function fromHex(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** IEEE 754 half precision. @param {number} bits */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** To the nearest, ties to even. @param {number} number */
function toHalf(number) {
  const sign = number < 0 || Object.is(number, -0) ? 0x8000 : 0;
  const size = Math.abs(number);
  if (Number.isNaN(number)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 1)));
  const scaled = (size / 2 ** exponent) * 1024;
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  const rounded = whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0);
  // A carry into the exponent is what the bits mean anyway.
  return sign | (size === 0 ? 0 : rounded < 1024 && exponent === -14 ? rounded : ((exponent + 15) << 10) + rounded - 1024);
}
