import { KannukiError } from '@kannuki/core';
import type { MemoryFact } from './model.ts';
import { type FactSources, readText } from './sources.ts';

/** /proc/meminfo, whose kB are KiB; proc_meminfo(5). */
export async function readMemory(sources: Pick<FactSources, 'root'>): Promise<MemoryFact> {
  const text = (await readText(sources, '/proc/meminfo')) ?? '';
  return { totalBytes: bytesOf(text, 'MemTotal'), availableBytes: bytesOf(text, 'MemAvailable') };
}

function bytesOf(text: string, field: string): number {
  const kibibytes = new RegExp(`^${field}: +(\\d{1,12}) kB$`, 'm').exec(text)?.[1];
  if (kibibytes === undefined) {
    throw new KannukiError('KNK-VOL-0101', { details: { program: '/proc/meminfo', detail: `no ${field}` } });
  }
  return Number(kibibytes) * 1024;
}
