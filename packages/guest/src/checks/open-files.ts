import type { Finding, Text } from '@kannuki/core';
import type { ForeignMount, GuestFacts, OpenFileUser, UnitFact, Volume } from '../facts/model.ts';
import { mountAt } from '../facts/mount-table.ts';
import { found } from './finding.ts';

const pidsShown = 10;

/**
 * Whoever has files open on the volume, so that it cannot be unmounted: one finding for each unit and for each process without
 * one (REQ-050, REQ-051).
 * @param stopServices the owner allows that services are stopped for the unmount and started again after it
 */
export function checkOpenFiles(facts: GuestFacts, volume: Volume, stopServices: boolean): Finding[] {
  const { mount, device } = volume;
  if (mount === null) return [];
  const users = facts.openFiles.filter(({ number }) => number === device.number || number === mount.number);
  const units = Map.groupBy(
    users.filter(({ unit }) => unit !== null),
    ({ unit }) => unit?.name ?? '',
  );
  const others = users.filter(({ unit }) => unit === null);
  return [
    ...[...units.values()].map((owned) => ofUnit(mount.point, owned, stopServices)),
    ...others.map((user) => ofProcess(mount.point, user)),
    ...facts.foreignMounts
      .filter(({ number }) => number === device.number)
      .map((foreign) => inNamespace(mount.point, foreign, stopServices)),
    ...checkHidden(facts, mount.point),
    ...checkKernelUsers(facts, mount.point),
  ];
}

/**
 * Services that have to be stopped for an unmount, their triggers first: a socket would start its service again.
 * @param users whoever has files open, or holds the mount in a namespace of its own
 */
export function unitsToStop(users: readonly { readonly unit: UnitFact | null }[]): readonly string[] {
  const units = users.flatMap(({ unit }) => (unit?.canBeStopped === true ? [unit] : []));
  return [...new Set([...units.flatMap(({ triggeredBy }) => triggeredBy), ...units.map(({ name }) => name)])];
}

function inNamespace(point: string, foreign: ForeignMount, stopServices: boolean): Finding {
  const { pid, command, unit } = foreign;
  const owner = unit === null ? '' : ` ${unit.name}`;
  const goes = stopServices && unit?.canBeStopped === true;
  return found(
    goes ? 'note' : 'refuse',
    'REQ-051',
    point,
    {
      en: `process ${pid} (${command})${owner} holds the file system in a mount namespace of its own, at ${foreign.point}`,
      ja: `プロセス ${pid} (${command})${owner} が、独自のマウント名前空間の ${foreign.point} でこのファイル システムを保持しています`,
    },
    goes
      ? restarted
      : {
          en: 'stop that container or service for the time being',
          ja: '一時的にそのコンテナーまたはサービスを停止してください',
        },
  );
}

const restarted: Text = {
  en: 'nothing to do: it is stopped for the unmount and started again after it',
  ja: '操作は不要です。アンマウントの間だけ停止し、その後に再開します',
};

function ofUnit(point: string, users: readonly OpenFileUser[], stopServices: boolean): Finding {
  const unit = users[0]?.unit;
  const name = unit?.name ?? '';
  const canBeStopped = unit?.canBeStopped === true;
  const message = {
    en: `${name}${stateText(unit?.fileState ?? '').en} has files open on ${point}: ${processes(users)}; ${paths(users)}`,
    ja: `${name}${stateText(unit?.fileState ?? '').ja} が ${point} のファイルを開いています: ${processes(users)}、${paths(users)}`,
  };
  if (!canBeStopped) {
    return found('refuse', 'REQ-051', point, message, {
      en: 'close these files; this unit is no service that may be stopped for a moment',
      ja: 'これらのファイルを閉じてください。このユニットは一時停止できるサービスではありません',
    });
  }
  if (stopServices) {
    return found('note', 'REQ-050', point, message, restarted);
  }
  return found('refuse', 'REQ-050', point, message, {
    en: `stop it (systemctl stop ${name}), or add --stop-services`,
    ja: `停止する (systemctl stop ${name}) か、--stop-services を付けてください`,
  });
}

/** Whether the next boot starts it: after the volume is mounted, as the order of the units says. */
function stateText(fileState: string): Text {
  if (fileState === '') return { en: '', ja: '' };
  const starts = fileState.startsWith('enabled');
  return {
    en: starts ? ` (${fileState}: starts at boot)` : ` (${fileState})`,
    ja: starts ? ` (${fileState}: 起動時に開始)` : ` (${fileState})`,
  };
}

function ofProcess(point: string, user: OpenFileUser): Finding {
  return found(
    'refuse',
    'REQ-051',
    point,
    {
      en: `process ${processes([user])} has files open on ${point}: ${paths([user])}`,
      ja: `プロセス ${processes([user])} が ${point} のファイルを開いています: ${paths([user])}`,
    },
    {
      en: `end it, or let it leave ${point} (kill ${user.pid})`,
      ja: `終了させるか (kill ${user.pid})、${point} の使用をやめさせてください`,
    },
  );
}

function processes(users: readonly OpenFileUser[]): string {
  const shown = users.slice(0, pidsShown).map(({ pid, command }) => `${pid} (${command})`);
  const more = users.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` +${more}`}`;
}

function paths(users: readonly OpenFileUser[]): string {
  return [...new Set(users.flatMap((user) => user.paths))].slice(0, 5).join(', ');
}

function checkHidden({ hiddenProcesses }: GuestFacts, point: string): Finding[] {
  if (hiddenProcesses.length === 0) return [];
  const shown = hiddenProcesses.slice(0, pidsShown).join(', ');
  return [
    found(
      'note',
      'REQ-051',
      point,
      {
        en: `the kernel hides the open files of ${hiddenProcesses.length} processes (${shown}); if one uses ${point}, the unmount fails and changes nothing`,
        ja: `${hiddenProcesses.length} 個のプロセス (${shown}) の開いているファイルは確認できません。いずれかが ${point} を使用中の場合はアンマウントに失敗しますが、何も変更されません`,
      },
      { en: 'nothing to do', ja: '操作は不要です' },
    ),
  ];
}

/** Files that the kernel itself holds: no process shows them. */
function checkKernelUsers({ mounts, swaps, loops }: GuestFacts, point: string): Finding[] {
  const isHere = (path: string): boolean => mountAt(mounts, path)?.point === point;
  const swapFiles = swaps.filter(({ kind, path }) => kind === 'file' && isHere(path)).map(({ path }) => path);
  const loopFiles = loops.filter(({ file }) => isHere(file));
  return [
    ...swapFiles.map((path) =>
      found(
        'refuse',
        'REQ-051',
        point,
        { en: `the swap file ${path} lies on ${point}`, ja: `スワップ ファイル ${path} が ${point} 上にあります` },
        { en: `switch it off for the time being: swapoff ${path}`, ja: `一時的に無効にしてください: swapoff ${path}` },
      ),
    ),
    ...loopFiles.map(({ kernelName, file }) =>
      found(
        'refuse',
        'REQ-051',
        point,
        {
          en: `the loop device /dev/${kernelName} uses ${file}`,
          ja: `ループ デバイス /dev/${kernelName} が ${file} を使用しています`,
        },
        {
          en: `detach it: losetup --detach /dev/${kernelName}`,
          ja: `切り離してください: losetup --detach /dev/${kernelName}`,
        },
      ),
    ),
  ];
}
