/** The longest text of the ledger, in bytes. */
export const TEXT_MAX = 256;

/**
 * Canonical bytes of the ledger: fixed-width big-endian integers, length-prefixed texts, no
 * padding. Every value has exactly one encoding.
 */
export class Encoder {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer("u8", BigInt(value), 1, false);
  }

  u16(value: number): this {
    return this.#integer("u16", BigInt(value), 2, false);
  }

  u32(value: number): this {
    return this.#integer("u32", BigInt(value), 4, false);
  }

  u64(value: bigint): this {
    return this.#integer("u64", value, 8, false);
  }

  i32(value: number): this {
    return this.#integer("i32", BigInt(value), 4, true);
  }

  i64(value: bigint): this {
    return this.#integer("i64", value, 8, true);
  }

  i128(value: bigint): this {
    return this.#integer("i128", value, 16, true);
  }

  flag(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** UTF-8 of at most 256 bytes, with its length. */
  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    if (bytes.length > TEXT_MAX) throw new RangeError(`a text of ${bytes.length} bytes`);
    return this.u32(bytes.length).fixed(bytes, bytes.length);
  }

  /** A flag, and the value behind it if there is one. */
  option<T>(value: T | null | undefined, write: (value: T) => unknown): this {
    this.flag(value != null);
    if (value != null) write(value);
    return this;
  }

  /** The length of a list, and its values. */
  list<T>(values: readonly T[], write: (value: T) => unknown): this {
    this.u32(values.length);
    for (const value of values) write(value);
    return this;
  }

  /** Bytes of a length that both sides know. */
  fixed(bytes: Uint8Array, length: number): this {
    if (bytes.length !== length) {
      throw new RangeError(`expected ${length} bytes, got ${bytes.length}`);
    }
    this.#parts.push(bytes);
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return concat(this.#parts);
  }

  #integer(kind: string, value: bigint, width: number, signed: boolean): this {
    const bits = BigInt(width * 8);
    const lowest = signed ? -(1n << (bits - 1n)) : 0n;
    const highest = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
    if (value < lowest || highest < value) {
      throw new RangeError(`${value} does not fit ${kind}`);
    }
    const bytes = new Uint8Array(width);
    let rest = BigInt.asUintN(width * 8, value);
    for (let index = width - 1; index >= 0; index -= 1) {
      bytes[index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    this.#parts.push(bytes);
    return this;
  }
}

/** The bytes of all parts, one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads lower- or upper-case hexadecimal digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new RangeError("not hexadecimal");
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Number.parseInt(text.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}
