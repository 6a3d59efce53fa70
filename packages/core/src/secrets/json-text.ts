/**
 * JSON bodies that hold a secret as one of their strings. JSON.parse would make a string of it, and strings cannot be
 * wiped: so the place of the secret is found in the bytes, and only the rest goes through JSON.
 */

/** Where the content of a string stands in a body, without its quotes. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const maximumDepth = 64;

/**
 * Where the contents of strings stand that are the value at a path of members. Names are compared as they are written: an
 * escaped spelling ("v\u0061lue") is not found, and has to be looked for in the parsed rest.
 * @param path names from the outermost in
 * @returns undefined for what is no JSON in its outline, or too deep
 */
export function textSpans(body: Uint8Array, path: readonly string[]): readonly TextSpan[] | undefined {
  const names = path.map((name) => Buffer.from(name, 'utf8'));
  const spans: TextSpan[] = [];
  // How many of the outer members on the way to here are those of the path; -1 inside anything else.
  const matched: number[] = [];
  let member = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    const here = matched.at(-1) ?? -1;
    if (byte === 0x7b || byte === 0x5b) {
      if (matched.length === maximumDepth) return undefined;
      const outermost = matched.length === 0;
      matched.push(byte === 0x5b ? -1 : outermost ? 0 : member ? here + 1 : -1);
      member = false;
    } else if (byte === 0x7d || byte === 0x5d) {
      if (matched.pop() === undefined) return undefined;
      member = false;
    } else if (byte === 0x2c) member = false;
    else if (byte === quote) {
      const end = endOfString(body, at + 1);
      if (end === undefined) return undefined;
      if (nextMeaningful(body, end + 1) === 0x3a) {
        member = here >= 0 && here < names.length && names[here]?.equals(body.subarray(at + 1, end)) === true;
      } else if (member && here === names.length - 1) spans.push({ start: at + 1, end });
      at = end;
    }
  }
  return spans;
}

/** @returns undefined where the bytes are not one JSON object */
export function parseJsonObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The body with nothing where a text was: what may go through JSON. */
export function withoutText(body: Uint8Array, span: TextSpan): Buffer {
  return Buffer.concat([body.subarray(0, span.start), body.subarray(span.end)]);
}

function endOfString(body: Uint8Array, from: number): number | undefined {
  for (let at = from; at < body.length; at += 1) {
    if (body[at] === backslash) at += 1;
    else if (body[at] === quote) return at;
  }
  return undefined;
}

function nextMeaningful(body: Uint8Array, from: number): number | undefined {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09 || body[at] === 0x0a || body[at] === 0x0d) at += 1;
  return body[at];
}
