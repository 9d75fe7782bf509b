// @ts-check
// What the bytes of a region mean: the canonical text of a schema, read, and where its scalars lie. The grammar is
// documented at `memlane::schema`; only the canonical form is read, as hosts send no other.

/**
 * A number, a truth value or a run of bytes.
 * @typedef {{ sort: 'bool' | 'int' | 'uint' | 'float' | 'bytes', size: number, little: boolean }} Scalar
 * @typedef {{ sort: 'struct', size: number, fields: Field[] }} Struct
 * Items of one type: none of them when the shape is empty means one.
 * @typedef {{ shape: number[], type: Scalar | Struct, unit: string }} Item
 * @typedef {Item & { name: string, offset: number }} Field
 * @typedef {Item & { encoding: string }} Schema
 */

/**
 * A scalar in a body. `part` is the smallest piece around it that a `write` can name, `within` where it lies in that.
 * @typedef {{ path: string, offset: number, type: Scalar, unit: string, part: Part, within: number }} Leaf
 * @typedef {{ field?: string, index?: number[], offset: number, size: number }} Part
 */

/** More scalars of one body are nothing that a person looks at one by one. */
const MOST_LEAVES = 4096;

/** @type {Record<string, Scalar['sort']>} */
const SORTS = { b: 'bool', i: 'int', u: 'uint', f: 'float', S: 'bytes' };

/** @param {string} text @returns {Schema} */
export function parse(text) {
  const parser = new Parser(text);
  const item = parser.item();
  const { unit, encoding } = parser.attributes();
  parser.end();
  return { ...item, unit, encoding };
}

class Parser {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.position = 0;
  }

  /** @returns {{ shape: number[], type: Scalar | Struct }} */
  item() {
    const shape = [];
    if (this.take('[')) {
      do shape.push(this.number());
      while (this.take(','));
      this.expect(']');
    }
    return { shape, type: this.take('{') ? this.struct() : this.scalar() };
  }

  /** @returns {Scalar} */
  scalar() {
    const [, order, kind, size] = this.match(/[<>|]?([biufS])(\d+)/y, /([<>|]?)([biufS])(\d+)/);
    return { sort: SORTS[kind], size: Number(size), little: order !== '>' };
  }

  /** @returns {Struct} */
  struct() {
    /** @type {Field[]} */
    const fields = [];
    let size = 0;
    while (!'};'.includes(this.text[this.position] ?? '}')) {
      const name = this.text[this.position] === '"' ? this.quoted() : this.match(/[A-Za-z_]\w*/y)[0];
      const offset = this.take('@') ? this.number() : size;
      this.expect(':');
      const item = this.item();
      const { unit } = this.attributes();
      fields.push({ name, offset, ...item, unit });
      size = offset + sizeOf(item);
      if (!this.take(',')) break;
    }
    if (this.take(';')) size = this.number();
    this.expect('}');
    return { sort: 'struct', size, fields };
  }

  attributes() {
    const found = { unit: '', encoding: '' };
    while (this.take(' ')) {
      const name = this.match(/unit|encoding/y)[0];
      this.expect('=');
      found[name === 'unit' ? 'unit' : 'encoding'] = this.quoted();
    }
    return found;
  }

  quoted() {
    return this.match(/"(?:[^"\\]|\\["\\])*"/y)[0].slice(1, -1).replace(/\\(.)/g, '$1');
  }

  number() {
    return Number(this.match(/\d+/y)[0]);
  }

  /** @param {RegExp} pattern sticky @param {RegExp} parts of what it found */
  match(pattern, parts = pattern) {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (!found) throw this.unexpected();
    this.position = pattern.lastIndex;
    return parts === pattern ? found : /** @type {RegExpExecArray} */ (parts.exec(found[0]));
  }

  /** @param {string} wanted */
  take(wanted) {
    const is = this.text.startsWith(wanted, this.position);
    if (is) this.position += wanted.length;
    return is;
  }

  /** @param {string} wanted */
  expect(wanted) {
    if (!this.take(wanted)) throw this.unexpected();
  }

  end() {
    if (this.position < this.text.length) throw this.unexpected();
  }

  unexpected() {
    const found = this.text.slice(this.position, this.position + 16) || 'the end';
    return new SyntaxError(`schema ${JSON.stringify(this.text)}: did not expect ${found} at ${this.position}`);
  }
}

/** How many items. @param {number[]} shape */
export function count(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** Bytes of all its items. @param {{ shape: number[], type: Scalar | Struct }} item */
export function sizeOf(item) {
  return count(item.shape) * item.type.size;
}

/**
 * The scalars of an item in the order in which they lie.
 * @param {{ shape: number[], type: Scalar | Struct, unit?: string }} item
 * @returns {Leaf[]}
 */
export function leaves(item, most = MOST_LEAVES) {
  /** @type {Leaf[]} */
  const found = [];
  collect(found, most, { item, path: '', offset: 0, unit: item.unit ?? '', field: '', fixed: null });
  return found;
}

/**
 * @typedef {{ item: { shape: number[], type: Scalar | Struct }, path: string, offset: number, unit: string, field: string, fixed: Part | null }} Place
 * `field`: how the protocol names it; `fixed`: what around it must be written as a whole.
 * @param {Leaf[]} found @param {number} most @param {Place} place
 */
function collect(found, most, { item, path, offset, unit, field, fixed }) {
  const { shape, type } = item;
  const whole = { ...(field ? { field } : {}), offset, size: sizeOf(item) };
  const items = count(shape);
  for (let number = 0; number < items && found.length < most; number += 1) {
    const at = offset + number * type.size;
    const index = unravel(number, shape);
    const name = shape.length ? `${path}[${index.join(',')}]` : path;
    if (type.sort !== 'struct') {
      const own = shape.length ? { ...whole, index, offset: at, size: type.size } : whole;
      const part = fixed ?? own;
      found.push({ path: name, offset: at, type, unit, part, within: at - part.offset });
      continue;
    }
    for (const inner of type.fields) {
      collect(found, most, {
        item: inner,
        path: name ? `${name}.${inner.name}` : inner.name,
        offset: at + inner.offset,
        unit: inner.unit || unit,
        field: field ? `${field}.${inner.name}` : inner.name,
        // A field of one of several structs has no name of its own.
        fixed: fixed ?? (shape.length ? whole : null),
      });
    }
  }
}

/** The number of an item, one number for each dimension. @param {number} number @param {number[]} shape */
export function unravel(number, shape) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    index[axis] = number % shape[axis];
    number = Math.floor(number / shape[axis]);
  }
  return index;
}
