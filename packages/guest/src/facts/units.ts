import { hasCode } from '@kannuki/core';
import type { UnitFact } from './model.ts';
import type { FactSources } from './sources.ts';

/** Where a process belongs in systemd's tree, from /proc/PID/cgroup. */
export interface UnitPlace {
  readonly name: string;
  /** Below a user's session or a machine: then the system manager does not bring it back. */
  readonly isOfSession: boolean;
}

const unitPattern = /^[\w:.\\@-]{1,240}\.(?:service|scope)$/;

/**
 * The unit of the system manager that a process runs in; cgroups(7). The outermost unit counts: what runs further in
 * (a container, a user's own service) goes with it.
 * @param cgroup text of /proc/PID/cgroup; the line `0::` is of version 2, `name=systemd` of version 1
 */
export function unitOfCgroup(cgroup: string): UnitPlace | undefined {
  const lines = cgroup.split('\n');
  const line = lines.find((one) => /^\d+:name=systemd:/.test(one)) ?? lines.find((one) => one.startsWith('0::'));
  const parts = (line ?? '')
    .replace(/^\d+:[^:]*:/, '')
    .split('/')
    .filter((part) => part !== '');
  const name = parts.find((part) => unitPattern.test(part));
  if (name === undefined) return undefined;
  return { name, isOfSession: parts[0] === 'user.slice' || parts[0] === 'machine.slice' };
}

/** Without these the machine, or the way into it, may be lost before they could be started again. */
const neverStopped = /^(?:systemd-.*|dbus(?:-broker)?|ssh|sshd|NetworkManager|networking|polkit|kannuki.*)\.service$/;

const properties = [
  'Id',
  'LoadState',
  'UnitFileState',
  'RefuseManualStart',
  'RefuseManualStop',
  'Transient',
  'TriggeredBy',
];

/**
 * Asks systemd about units; systemctl(1) `show` prints `Property=value` lines for programs, one block a unit.
 * @returns one fact for each place; of a unit that systemd does not know only the name
 */
export async function readUnits(
  sources: Pick<FactSources, 'run'>,
  places: readonly UnitPlace[],
): Promise<ReadonlyMap<string, UnitFact>> {
  const facts = new Map<string, UnitFact>();
  if (places.length === 0) return facts;
  const shown = await showUnits(
    sources,
    places.map(({ name }) => name),
  );
  for (const { name, isOfSession } of places) {
    const unit = shown.find((block) => block.get('Id') === name);
    const mayStop =
      unit?.get('LoadState') === 'loaded' &&
      unit.get('RefuseManualStart') === 'no' &&
      unit.get('RefuseManualStop') === 'no' &&
      unit.get('Transient') === 'no';
    facts.set(name, {
      name,
      fileState: unit?.get('UnitFileState') ?? '',
      canBeStopped: mayStop && !isOfSession && name.endsWith('.service') && !neverStopped.test(name),
      triggeredBy: (unit?.get('TriggeredBy') ?? '').split(' ').filter((trigger) => trigger !== ''),
    });
  }
  return facts;
}

type Block = ReadonlyMap<string, string>;

async function showUnits(sources: Pick<FactSources, 'run'>, names: readonly string[]): Promise<readonly Block[]> {
  try {
    const args = ['show', `--property=${properties.join(',')}`, '--', ...names];
    const { exitCode, stdout } = await sources.run('systemctl', args, { accept: [0, 1, 4], timeoutSeconds: 60 });
    return exitCode === 0 ? stdout.split('\n\n').map(readBlock) : [];
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return [];
    throw error;
  }
}

function readBlock(text: string): Block {
  const lines = text.split('\n').filter((line) => line.includes('='));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
