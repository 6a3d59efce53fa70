import type { OperatingSystem } from './model.ts';
import { type FactSources, readText } from './sources.ts';

/** os-release(5): shell assignments, one a line, quoted where need be. */
export async function readOperatingSystem(sources: Pick<FactSources, 'root'>): Promise<OperatingSystem> {
  const text = (await readText(sources, '/etc/os-release')) ?? (await readText(sources, '/usr/lib/os-release')) ?? '';
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim());
    if (match?.[1] !== undefined && match[2] !== undefined) fields.set(match[1], unquote(match[2]));
  }
  const id = fields.get('ID') ?? 'linux';
  return { id, versionId: fields.get('VERSION_ID') ?? null, prettyName: fields.get('PRETTY_NAME') ?? id };
}

function unquote(value: string): string {
  const inner = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
  return inner.replace(/\\(["'$`\\])/g, '$1');
}
