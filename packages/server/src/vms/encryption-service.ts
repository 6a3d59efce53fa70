import { randomUUID } from 'node:crypto';
import { type AgentStatus, type Finding, isRefused, KannukiError, type VolumeGoal } from '@kannuki/core';
import { type KeyInfo, kekFindings } from '@kannuki/keyvault';
import { checkSupport, type SupportRules, type VolumeType } from '@kannuki/support';
import type { ServerDatabase } from '../storage/database.ts';
import type { GoalStore, StoredGoal } from '../storage/goal-store.ts';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import type { VaultRecord } from '../vaults/vault-record.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import type { EncryptionRequest } from './encryption-request.ts';
import type { GoalSignals } from './goal-signals.ts';
import { vaultFlagFinding } from './vault-flag-finding.ts';
import type { Vm } from './vm.ts';

export interface EnableOptions {
  readonly vaultName: string;
  /** Name in the KEK vault, or full id; null for no KEK. */
  readonly kek: string | null;
  /** Null: the vault of the passphrase (REQ-131). */
  readonly kekVaultName: string | null;
  /** Null: OS for a VM without data disks, else refused (REQ-138). */
  readonly volumeType: VolumeType | null;
  /** Findings about the vault's flag and place only warn (REQ-118). */
  readonly force: boolean;
  readonly stopServices: boolean;
}

export interface EncryptionServiceOptions {
  readonly database: ServerDatabase;
  readonly goals: GoalStore;
  readonly ownership: OwnershipStore;
  readonly vaults: VaultService;
  readonly signals: GoalSignals;
  readonly rules: SupportRules;
  readonly now: () => number;
}

/** Rules of REQ-118: with --force they warn. */
const forcible = new Set(['REQ-115', 'REQ-062', 'REQ-063']);

/** What is wanted of a VM's volumes, and how the wish becomes a goal with targets. Knows no HTTP. */
export class EncryptionService {
  readonly #options: EncryptionServiceOptions;

  constructor(options: EncryptionServiceOptions) {
    this.#options = options;
  }

  /**
   * Takes a request. The targets are found when the VM's agent has reported its volumes after this: a disk that was
   * mounted a second ago counts.
   * @returns findings that do not forbid it
   * @throws KannukiError KNK-SRV-0011 with all findings, 0010, 0020, 0022, or what the vault of the KEK throws
   */
  async enable(vm: Vm, options: EnableOptions): Promise<readonly Finding[]> {
    const { vaults, database, goals, ownership, signals, now } = this.#options;
    const volumeType = wantedType(vm, options.volumeType);
    const vault = vaults.show(options.vaultName);
    const kekVault = options.kek === null ? null : vaults.show(options.kekVaultName ?? vault.name);
    const kek = options.kek === null || kekVault === null ? null : await vaults.showKey(kekVault.name, options.kek);
    const findings = this.#check(vm, { volumeType, vault, kek, force: options.force });
    if (isRefused(findings)) {
      const count = findings.filter(({ severity }) => severity === 'refuse').length;
      throw new KannukiError('KNK-SRV-0011', { details: { subject: `VM ${vm.name}`, count }, findings });
    }
    const request: EncryptionRequest = {
      sequence: randomUUID(),
      volumeType,
      vaultName: vault.name,
      vaultUri: vaults.vaultUri(vault.name),
      kekId: kek?.id ?? null,
      kekVaultName: kekVault?.name ?? null,
      stopServices: options.stopServices,
    };
    database.transaction(() => {
      const key = kek === null ? undefined : vaults.vaultOf(kek.id, 'keys');
      ownership.grantVault(vm.id, vault.name);
      if (key !== undefined) ownership.grantKey(vm.id, key);
      // The same volumes under a new generation: the agent answers a new generation with a fresh status.
      const askedGeneration = goals.setVolumes(vm.id, goals.goal(vm.id).volumes);
      goals.setRequest(vm.id, { request, requestedAt: now(), askedGeneration, expanded: false });
    });
    signals.wake(vm.id);
    return findings;
  }

  /** The goal, once it is newer than what the agent knows; undefined at the end of the wait. */
  async waitForGoal(
    vmId: string,
    after: number,
    waitMilliseconds: number,
    signal: AbortSignal,
  ): Promise<StoredGoal | undefined> {
    const deadline = performance.now() + waitMilliseconds;
    for (;;) {
      const goal = this.#options.goals.goal(vmId);
      if (goal.generation > after) return goal;
      const left = deadline - performance.now();
      if (left <= 0 || signal.aborted) return undefined;
      const wake = await this.#options.signals.wait(vmId, left, signal);
      if (wake === 'leave' || signal.aborted) return undefined;
    }
  }

  /** Keeps what an agent reports, and turns a waiting request into a goal with the volumes that it shows. */
  record(vmId: string, status: AgentStatus): void {
    const { database, goals, signals, now } = this.#options;
    const changed = database.transaction(() => {
      goals.setStatus(vmId, { receivedAt: now(), status });
      const stored = goals.request(vmId);
      if (stored === undefined || stored.expanded || status.generation < stored.askedGeneration) return false;
      const targets = targetsIn(status);
      if (targets.length === 0) return false;
      goals.setVolumes(vmId, merged(goals.goal(vmId).volumes, targets, stored.request));
      goals.setRequest(vmId, { ...stored, expanded: true });
      return true;
    });
    if (changed) signals.wake(vmId);
  }

  #check(
    vm: Vm,
    wanted: { volumeType: VolumeType; vault: VaultRecord; kek: KeyInfo | null; force: boolean },
  ): readonly Finding[] {
    const { rules, now } = this.#options;
    const { vault, kek } = wanted;
    const findings = [
      ...(vault.enabledForDiskEncryption ? [] : [vaultFlagFinding(vault.name)]),
      ...(kek === null ? [] : kekFindings(kek)),
      ...checkSupport(
        {
          volumeType: wanted.volumeType,
          urn: vm.model.imageUrn,
          size: vm.model.size,
          memoryMib: vm.model.memoryMib,
          vmRegion: vm.model.location,
          vaultRegion: vault.location,
          date: new Date(now()).toISOString().slice(0, 10),
        },
        rules,
      ),
    ];
    if (!wanted.force) return findings;
    return findings.map((one) => (forcible.has(one.rule) ? { ...one, severity: 'warn' as const } : one));
  }
}

function wantedType(vm: Vm, asked: VolumeType | null): VolumeType {
  if (asked === null && vm.model.dataDisks.length > 0) {
    throw new KannukiError('KNK-SRV-0020', { details: { vm: vm.name } });
  }
  const type = asked ?? 'OS';
  if (type !== 'DATA') throw new KannukiError('KNK-SRV-0022', { details: { type } });
  return type;
}

/** REQ-089: only volumes that are mounted. */
function targetsIn(status: AgentStatus): readonly string[] {
  return status.volumes.flatMap(({ kind, mountPoint }) => (kind === 'data' && mountPoint !== null ? [mountPoint] : []));
}

/** A target that was in the goal before stays, and takes the newest settings. */
function merged(
  before: readonly VolumeGoal[],
  targets: readonly string[],
  { vaultName, vaultUri, kekId, stopServices }: EncryptionRequest,
): readonly VolumeGoal[] {
  const kept = before.map(({ target }) => target).filter((target) => !targets.includes(target));
  return [...kept, ...targets].map((target) => ({
    target,
    wanted: 'Encrypted',
    vaultName,
    vaultUri,
    kekId,
    stopServices,
  }));
}
