import { isRefused, KannukiError } from '@kannuki/core';
import {
  confirmFormatAll,
  defaultPaths,
  type Encryption,
  type FormatCandidate,
  type FormatOptions,
  formatting,
  identityOf,
  type newFileSystems,
  planFormatAll,
  readGuestFacts,
  resolveTargets,
  takesRandomKey,
  type VolumeEngine,
  type VolumeIdentity,
  withdrawConfirmation,
  withRandomKey,
} from '@kannuki/guest';
import { bytesText } from '../../output/progress.ts';
import type { CommandContext } from '../../program/context.ts';

/** One volume to encrypt, and how. */
export interface EncryptWork {
  readonly target: string;
  readonly way: Encryption;
  readonly needsVault: boolean;
  /** Once it is done. */
  readonly settle?: () => Promise<void>;
}

export interface EncryptChoices {
  /** How a volume with data is encrypted where it is. */
  readonly inPlace: Encryption;
  readonly format: boolean;
  readonly wipe: boolean;
  readonly stopServices: boolean;
  readonly mountPoint: string | undefined;
  readonly fileSystem: (typeof newFileSystems)[number];
}

/** What was begun before goes on in its own way, whatever the options; nothing is asked again. */
const begunWays = {
  format: { way: formatting({ confirmed: [], wipe: true }), needsVault: true },
  'random-key': { way: withRandomKey({ mayLoseFiles: false }), needsVault: false },
} as const;

/** Each target by what it is: swap space and the temporary disk take a random key, others one from the vault. */
export async function workOnTargets(
  engine: VolumeEngine,
  targets: readonly string[],
  choices: EncryptChoices,
  context: CommandContext,
): Promise<readonly EncryptWork[]> {
  const work: EncryptWork[] = [];
  for (const target of targets) {
    const begun = (await engine.begun(target))?.operation;
    if (begun === 'encrypt' || begun === 'used-only') {
      work.push({ target, way: choices.inPlace, needsVault: true });
    } else if (begun === 'format' || begun === 'random-key') {
      work.push({ target, ...begunWays[begun] });
    } else {
      work.push(await workOnTarget(target, choices, context));
    }
  }
  return work;
}

async function workOnTarget(target: string, choices: EncryptChoices, context: CommandContext): Promise<EncryptWork> {
  const { inPlace, format, wipe, mountPoint, fileSystem } = choices;
  const facts = await readGuestFacts();
  const [volume] = await resolveTargets(facts, [target]);
  if (volume === undefined) throw new KannukiError('KNK-VOL-0100', { details: { target } });
  const { device, mount } = volume;
  if (takesRandomKey(facts, volume)) {
    const isSwap = device.signature?.type === 'swap';
    const mayLoseFiles = isSwap || (await context.confirm(temporaryQuestion(mount?.point ?? target, device.path)));
    if (!mayLoseFiles) throw declined(target);
    return { target, way: withRandomKey({ mayLoseFiles }), needsVault: false };
  }
  if (!format) return { target, way: inPlace, needsVault: true };
  if (mountPoint !== undefined) {
    const way = formatting({ confirmed: [], wipe, blank: { mountPoint, fileSystem } });
    return { target, way, needsVault: true };
  }
  const confirmed: VolumeIdentity[] = [];
  // What cannot be formatted is refused by its checks, with all findings: no question comes before that.
  if (mount !== null) {
    if (!(await context.confirm(formatQuestion(mount.point, device.path, device.sizeBytes)))) throw declined(target);
    confirmed.push(identityOf(volume));
  }
  return { target, way: formatting({ confirmed, wipe }), needsVault: true };
}

/** EncryptFormatAll: the list is told, confirmed as a whole, and on record before the first volume changes. */
export async function workOnAllVolumes(
  engine: VolumeEngine,
  choices: EncryptChoices,
  context: CommandContext,
): Promise<readonly EncryptWork[]> {
  const { stopServices, wipe } = choices;
  const unfinished = (await engine.journals()).filter(
    ({ operation, step }) => operation === 'format' && step !== 'finished',
  );
  const plan = await planFormatAll(defaultPaths, { stopServices });
  for (const { severity, subject, message, remedy } of plan.findings) {
    const line = (language: 'en' | 'ja') => `${severity}: ${subject}: ${message[language]}; ${remedy[language]}`;
    context.say({ en: line('en'), ja: line('ja') });
  }
  if (isRefused(plan.findings)) {
    throw new KannukiError('KNK-VOL-0006', { details: { target: 'DATA' }, findings: plan.findings });
  }
  for (const volume of plan.volumes) context.say(candidateText(volume));
  if (plan.volumes.length > 0 && !plan.isRepeated) {
    const names = plan.volumes.map(({ point }) => point).join(', ');
    const sure = await context.confirm({
      en: `Everything on ${names} will be lost. Format them?`,
      ja: `${names} の内容はすべて失われます。初期化しますか?`,
    });
    if (!sure) throw declined(names);
    await confirmFormatAll(
      defaultPaths,
      plan.volumes.map(({ identity }) => identity),
    );
  }
  const options: FormatOptions = { confirmed: plan.volumes.map(({ identity }) => identity), wipe };
  return [
    ...unfinished.map(({ point }) => ({ target: point, ...begunWays.format })),
    ...plan.volumes.map(({ point, identity }) => ({
      target: point,
      way: formatting(options),
      needsVault: true,
      settle: () => withdrawConfirmation(defaultPaths, identity),
    })),
  ];
}

/** A "no" leaves everything as it is, and is no success. */
function declined(target: string): KannukiError {
  return new KannukiError('KNK-VOL-0013', { details: { target } });
}

function candidateText({ point, device, fileSystem, sizeBytes, isEmpty }: FormatCandidate) {
  const what = `${point}: ${device}, ${fileSystem}, ${bytesText(sizeBytes)}`;
  return {
    en: `${what}${isEmpty ? ', no files' : ', HOLDS FILES'}`,
    ja: `${what}${isEmpty ? '、ファイルなし' : '、ファイルあり'}`,
  };
}

function formatQuestion(point: string, device: string, sizeBytes: number) {
  const size = bytesText(sizeBytes);
  return {
    en: `Everything on ${point} (${device}, ${size}) will be lost. Format it?`,
    ja: `${point} (${device}、${size}) の内容はすべて失われます。初期化しますか?`,
  };
}

function temporaryQuestion(point: string, device: string) {
  return {
    en: `Everything on the temporary disk ${point} (${device}) will be lost, now and at each boot. Go on?`,
    ja: `一時ディスク ${point} (${device}) の内容は、今と今後の起動のたびにすべて失われます。続行しますか?`,
  };
}
