import { KannukiError } from '@kannuki/core';
import type { ServerDatabase } from '../../storage/database.ts';
import type { ResourceGroupStore } from '../../storage/resource-group-store.ts';
import type { VmStore } from '../../storage/vm-store.ts';
import type { VaultRegistry } from '../../vaults/vault-registry.ts';
import { assertGroupName } from '../../vms/names.ts';
import { isSameLocation } from '../arm/arm-request.ts';
import type { RoleAssignments } from '../authorization/role-assignments.ts';
import type { ResourceGroup } from './resource-group.ts';

export interface GroupServiceOptions {
  readonly database: ServerDatabase;
  readonly groups: ResourceGroupStore;
  readonly vms: VmStore;
  readonly vaults: VaultRegistry;
  readonly assignments: RoleAssignments;
  readonly subscriptionId: string;
  readonly now: () => number;
}

/** Resource groups: a name and a place for what belongs together. */
export class GroupService {
  readonly #options: GroupServiceOptions;

  constructor(options: GroupServiceOptions) {
    this.#options = options;
  }

  list(): readonly ResourceGroup[] {
    return this.#options.groups.list();
  }

  /** @throws KannukiError KNK-ARM-0001 */
  show(name: string): ResourceGroup {
    const group = this.#options.groups.find(name);
    if (group === undefined) throw new KannukiError('KNK-ARM-0001', { details: { group: name.slice(0, 100) } });
    return group;
  }

  /** A group in which something may be made. @throws KannukiError KNK-ARM-0001, 0013 */
  require(name: string): ResourceGroup {
    const group = this.show(name);
    if (group.state === 'deleting') throw new KannukiError('KNK-ARM-0013', { details: { group: group.name } });
    return group;
  }

  /** Makes a group or gives one other tags. @throws KannukiError KNK-ARM-0013, 0014, KNK-SRV-0026 */
  put(
    name: string,
    location: string,
    tags: ResourceGroup['tags'] | undefined,
  ): { readonly group: ResourceGroup; readonly isNew: boolean } {
    assertGroupName(name);
    const { groups, now } = this.#options;
    const made: ResourceGroup = { name, location, tags: tags ?? {}, state: 'ready', createdAt: now() };
    if (groups.add(made)) return { group: made, isNew: true };
    const group = this.require(name);
    if (!isSameLocation(group.location, location)) {
      throw new KannukiError('KNK-ARM-0014', { details: { resource: group.name, location: group.location } });
    }
    return { group: tags === undefined ? group : this.setTags(name, tags), isNew: false };
  }

  /** For commands that name a group without having made it. @throws KannukiError KNK-ARM-0013, KNK-SRV-0026 */
  ensure(name: string, location: string): ResourceGroup {
    assertGroupName(name);
    return this.#options.groups.find(name) === undefined ? this.put(name, location, {}).group : this.require(name);
  }

  setTags(name: string, tags: ResourceGroup['tags']): ResourceGroup {
    const group = this.require(name);
    this.#options.groups.setTags(group.name, tags);
    return { ...group, tags };
  }

  scopeOf(name: string): string {
    return `/subscriptions/${this.#options.subscriptionId}/resourceGroups/${name}`;
  }

  /** From here on nothing is made in it; `remove` does the rest. @throws KannukiError KNK-ARM-0001, 0012 */
  markForRemoval(name: string): ResourceGroup {
    const group = this.show(name);
    this.#refuseWithVms(group.name);
    this.#options.groups.setState(group.name, 'deleting');
    return group;
  }

  /**
   * Deletes the vaults of a group that was marked (softly: they can be recovered into a group of that name), then the
   * group with the role assignments on it. Goes on where it was cut.
   */
  async remove(name: string): Promise<void> {
    const { database, groups, vaults, assignments } = this.#options;
    const group = groups.find(name);
    if (group === undefined) return;
    const scope = this.scopeOf(group.name);
    for (const vault of vaults.list(group.name)) await vaults.delete(vault.name);
    try {
      this.#refuseWithVms(group.name);
    } catch (error) {
      groups.setState(group.name, 'ready');
      throw error;
    }
    database.transaction(() => {
      assignments.removeStoredBelow(scope);
      groups.remove(group.name);
    });
    assignments.forgetBelow(scope);
  }

  #refuseWithVms(group: string): void {
    const vms = this.#options.vms.list(group).map(({ name }) => name);
    if (vms.length === 0) return;
    throw new KannukiError('KNK-ARM-0012', { details: { group, vms: vms.slice(0, 10).join(', ') } });
  }
}
