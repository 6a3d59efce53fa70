import { randomBytes } from 'node:crypto';

/** A secret that a test has planted: wherever it turns up, and in whatever form, it was let out. */
export class Canaries {
  readonly #forms = new Map<string, readonly Buffer[]>();

  /** @param secret text, or bytes; 12 bytes or more, so that no form of it is there by chance */
  plant<Secret extends string | Uint8Array>(name: string, secret: Secret): Secret {
    const bytes = Buffer.from(secret);
    if (bytes.length < 12) throw new Error(`${name} is too short to be looked for`);
    this.#forms.set(name, formsOf(bytes));
    return secret;
  }

  /** A new text that nobody else has. */
  text(name: string): string {
    return this.plant(name, `canary-${name.replaceAll(' ', '-')}-${randomBytes(12).toString('hex')}`);
  }

  /** Names of those that are in there, but for `except`. */
  in(place: string | Uint8Array, except: readonly string[] = []): readonly string[] {
    const bytes = Buffer.from(place);
    return [...this.#forms]
      .filter(([name, forms]) => !except.includes(name) && forms.some((form) => bytes.includes(form)))
      .map(([name]) => name);
  }
}

/** As it is, as JSON escapes and URLs leave it, in hex, and in base64 wherever it may begin in what was encoded. */
function formsOf(bytes: Buffer): readonly Buffer[] {
  const texts = [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...[0, 1, 2].flatMap(base64At(bytes))];
  return [bytes, ...texts.map((text) => Buffer.from(text, 'latin1'))];
}

function base64At(bytes: Buffer): (shift: number) => readonly string[] {
  return (shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Without the digits in which what stands before and behind has a part.
    const standard = encoded.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + bytes.length) * 8) / 6));
    return [standard, standard.replaceAll('+', '-').replaceAll('/', '_')];
  };
}
