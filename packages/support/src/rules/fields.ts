/** A value that does not have the shape that was asked for. `where` leads to it, e.g. `images[3].volumes`. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  readonly where: string;
  readonly problem: string;

  constructor(where: string, problem: string) {
    super(`${where}: ${problem}`);
    this.where = where;
    this.problem = problem;
  }
}

/** Reads the fields of a plain object and says exactly which one is wrong. For data files and configuration. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #where: string;

  private constructor(values: Readonly<Record<string, unknown>>, where: string) {
    this.#values = values;
    this.#where = where;
  }

  /** @throws ShapeError where the value is no object, or has a key that is not in `known` (a typing error, mostly) */
  static of(value: unknown, where: string, known: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ShapeError(where, 'must be a table of keys and values');
    }
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined)
      throw new ShapeError(`${where}.${unknown}`, `unknown key; known are ${known.join(', ')}`);
    return new Fields(value as Record<string, unknown>, where);
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string, pattern = /\S/): string {
    const value = this.#values[name];
    if (typeof value !== 'string' || !pattern.test(value)) throw this.#wrong(name, 'must be text of the right form');
    return value;
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const found = choices.find((choice) => choice === this.#values[name]);
    if (found === undefined) throw this.#wrong(name, `must be one of ${choices.join(', ')}`);
    return found;
  }

  number(name: string): number {
    const value = this.#values[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw this.#wrong(name, 'must be a number');
    return value;
  }

  list<Item>(name: string, read: (value: unknown, where: string) => Item): readonly Item[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw this.#wrong(name, 'must be a list');
    return value.map((item: unknown, index) => read(item, `${this.#where}.${name}[${index}]`));
  }

  nested<Value>(name: string, read: (value: unknown, where: string) => Value): Value {
    return read(this.#values[name], `${this.#where}.${name}`);
  }

  texts(name: string): readonly string[] {
    return this.list(name, readText);
  }

  /** A calendar day, `2026-11-23`. */
  day(name: string): string {
    const value = this.text(name);
    if (!isDay(value)) throw this.#wrong(name, 'must be a day, YYYY-MM-DD');
    return value;
  }

  expression(name: string): RegExp {
    try {
      return new RegExp(this.text(name), 'i');
    } catch {
      throw this.#wrong(name, 'must be a regular expression');
    }
  }

  #wrong(name: string, problem: string): ShapeError {
    return new ShapeError(`${this.#where}.${name}`, problem);
  }
}

export function readText(value: unknown, where: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw new ShapeError(where, 'must be text');
  return value;
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.valueOf()) && date.toISOString().startsWith(text);
}
