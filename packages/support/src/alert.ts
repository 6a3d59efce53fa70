import type { Text } from '@kannuki/core';
import { costNotice } from './notices.ts';

/** An alert of the security posture: one VM that is not encrypted (REQ-007..REQ-009). */
export interface EncryptionAlert {
  readonly title: Text;
  readonly severity: 'High';
  readonly recommendation: Text;
  /** REQ-011. */
  readonly costNotice: Text;
  readonly vm: string;
}

export interface PostureFacts {
  readonly vm: string;
  /** Every volume that should be encrypted is, by what the kernel and the headers say now. */
  readonly encrypted: boolean;
}

/** The active alerts: exactly one for each VM that is not encrypted, none for the others. */
export function encryptionAlerts(vms: readonly PostureFacts[]): EncryptionAlert[] {
  return vms
    .filter((facts) => !facts.encrypted)
    .map(({ vm }) => ({
      title: {
        en: 'Disk encryption should be applied on virtual machines',
        ja: '仮想マシンでディスク暗号化を適用する必要があります',
      },
      severity: 'High',
      recommendation: { en: `encrypt the disks of ${vm}`, ja: `${vm} のディスクを暗号化してください` },
      costNotice,
      vm,
    }));
}
