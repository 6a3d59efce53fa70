import type { Finding } from '@kannuki/core';
import type { SupportFacts } from '../facts.ts';
import { found } from './finding.ts';

/** Single VMs and scale sets with flexible orchestration are the same here (REQ-002); uniform ones have data disks only. */
export function checkTarget(facts: SupportFacts): Finding[] {
  if (facts.target !== 'uniform-scale-set' || facts.volumeType === 'DATA') return [];
  return [
    found(
      'refuse',
      'REQ-276',
      'scale set',
      {
        en: `OS disks of scale sets with uniform orchestration cannot be encrypted; ${facts.volumeType} was asked for`,
        ja: `均一オーケストレーションのスケール セットの OS ディスクは暗号化できませんが、${facts.volumeType} が指定されています`,
      },
      {
        en: 'ask for volume type DATA, or use flexible orchestration',
        ja: 'ボリュームの種類に DATA を指定するか、フレキシブル オーケストレーションを使ってください',
      },
    ),
  ];
}
