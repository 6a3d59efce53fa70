import { type FactSources, readText } from '../facts/sources.ts';

export interface Processor {
  /** The kernel's name of the model; on ARM, which has none, the numbers of its maker. */
  readonly model: string;
  readonly count: number;
  /** false only where the kernel lists what the processor can do and AES is not in the list. */
  readonly hasAes: boolean;
}

/** /proc/cpuinfo: `flags` on x86, `Features` on ARM; other architectures list nothing that says it, and none of them is slow. */
export async function readProcessor(
  sources: Pick<FactSources, 'root'>,
  architecture: string = process.arch,
): Promise<Processor> {
  const text = (await readText(sources, '/proc/cpuinfo')) ?? '';
  const field = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const arm = ['CPU implementer', 'CPU part', 'CPU variant'].map((name) => field(name) ?? '?').join('/');
  const abilities = (field('flags') ?? field('Features') ?? '').split(' ');
  const listsAes = ['x64', 'ia32', 'arm64', 'arm'].includes(architecture);
  return {
    model: (field('model name') ?? arm).slice(0, 200),
    count: Math.max(1, text.match(/^processor\s*:/gm)?.length ?? 1),
    hasAes: !listsAes || abilities.includes('aes') || abilities.includes('vaes'),
  };
}
