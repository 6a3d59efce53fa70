/** Enough DER (X.690) to take apart what OpenSSL has written: definite lengths, low tag numbers. */
interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** What follows it. */
  readonly rest: Uint8Array;
}

export const derTag = { integer: 0x02, bitString: 0x03, octetString: 0x04, objectId: 0x06, sequence: 0x30 } as const;

/** @throws RangeError where the bytes are no such element */
export function derElement(bytes: Uint8Array, tag: number): DerElement {
  const [found, first] = bytes;
  if (found !== tag || first === undefined) throw new RangeError('not the DER that was expected');
  let length = first;
  let start = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new RangeError('not a DER length');
    length = 0;
    for (let at = 0; at < count; at += 1) length = length * 256 + (bytes[start + at] ?? 0);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new RangeError('the DER is cut short');
  return { tag, content: bytes.subarray(start, end), rest: bytes.subarray(end) };
}

/** Contents of the elements of a sequence that begin with these tags; more may follow. */
export function derSequence(bytes: Uint8Array, tags: readonly number[]): readonly Uint8Array[] {
  let { content } = derElement(bytes, derTag.sequence);
  return tags.map((tag) => {
    const element = derElement(content, tag);
    content = element.rest;
    return element.content;
  });
}

/** A positive integer without the zero that keeps it positive. */
export function unsigned(content: Uint8Array): Uint8Array {
  return content.length > 1 && content[0] === 0 ? content.subarray(1) : content;
}
