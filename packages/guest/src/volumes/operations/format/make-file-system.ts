import { KannukiError, type Run, syncFile } from '@kannuki/core';
import { probe } from '../../../facts/signature.ts';
import type { Step } from '../../context.ts';
import { activeMapping } from '../../mapping.ts';
import { readPassphrase } from '../../steps/escrow.ts';
import { mapperPath, openMapping } from '../../steps/map.ts';
import { useOf } from '../../uses/uses.ts';
import { assertOurHeader, assertOurMapping, formatOf, mountUseOf } from './format-of.ts';

/** Label of a file system that is being made. It gets its own last, in one write, so that a complete one is known by it. */
const unfinishedLabel = 'kn-unmade';

/**
 * Makes the file system over the mapping: same type, same label, a new UUID that was chosen at the beginning. A complete one is
 * never made again, whoever has used it meanwhile.
 */
export const makeFileSystem: Step = async (journal, context) => {
  await assertOurHeader(journal, context.run);
  if ((await activeMapping(journal.name)) === undefined) {
    using passphrase = await readPassphrase(journal, context.vault);
    await openMapping(journal, context, passphrase);
  }
  await assertOurMapping(journal);
  const device = mapperPath(journal);
  const { fileSystem } = mountUseOf(journal);
  const { label } = formatOf(journal);
  if (await isComplete(context.run, device, journal)) return journal;
  await context.run(...mkfs(fileSystem.type, fileSystem.uuid, device), { timeoutSeconds: mkfsSeconds });
  await syncFile(device);
  await context.run(...setLabel(fileSystem.type, label, device), { timeoutSeconds: 300 });
  await syncFile(device);
  if (!(await isComplete(context.run, device, journal))) {
    const seen = (await useOf(journal).probe(device, context.run)) ?? 'nothing known';
    throw new KannukiError('KNK-VOL-0004', {
      details: { volume: journal.name, device, seen, wanted: useOf(journal).wanted },
    });
  }
  return journal;
};

/** Minutes on the largest disks, where the kernel does not initialise tables later by itself. */
const mkfsSeconds = 3600;

async function isComplete(run: Run, device: string, journal: Parameters<Step>[0]): Promise<boolean> {
  const { signature } = await probe(run, device);
  const { fileSystem } = mountUseOf(journal);
  return (
    signature?.type === fileSystem.type &&
    signature.uuid === fileSystem.uuid &&
    (signature.label ?? '') === formatOf(journal).label
  );
}

type Call = readonly [program: string, args: readonly string[]];

/** mkfs.xfs wants -f wherever it takes what is there for a file system: here an unfinished one of ours. */
function mkfs(type: string, uuid: string, device: string): Call {
  if (type === 'xfs') return ['mkfs.xfs', ['-q', '-f', '-m', `uuid=${uuid}`, '-L', unfinishedLabel, device]];
  return [`mkfs.${type}`, ['-q', '-U', uuid, '-L', unfinishedLabel, device]];
}

function setLabel(type: string, label: string, device: string): Call {
  // xfs_admin(8): `--` clears the label.
  if (type === 'xfs') return ['xfs_admin', ['-L', label === '' ? '--' : label, device]];
  return ['tune2fs', ['-L', label, device]];
}
