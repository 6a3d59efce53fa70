/** Readers for members of a JSON object that came from the network: each says undefined rather than trusting a shape. */

type Fields = Readonly<Record<string, unknown>>;

const textLimit = 2048;
const entryLimit = 64;

export function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value.length <= textLimit ? value : undefined;
}

/** Text or null; undefined for anything else. */
export function nullableTextField(fields: Fields, name: string): string | null | undefined {
  return fields[name] === null ? null : textField(fields, name);
}

export function textListField(fields: Fields, name: string): readonly string[] | undefined {
  const value = fields[name];
  if (!Array.isArray(value) || value.length > entryLimit) return undefined;
  const texts = value.filter((entry): entry is string => typeof entry === 'string' && entry.length <= textLimit);
  return texts.length === value.length ? texts : undefined;
}

export function textMapField(fields: Fields, name: string): Readonly<Record<string, string>> | undefined {
  const value = fields[name];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > entryLimit) return undefined;
  const texts = entries.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length <= textLimit,
  );
  return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
}
