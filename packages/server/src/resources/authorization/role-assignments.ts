import { scopeHolds } from '@kannuki/core';
import type { RoleAssignmentStore } from '../../storage/role-assignment-store.ts';

export interface RoleAssignment {
  /** GUID. */
  readonly id: string;
  /** Id of a subscription, resource group, resource, or one key or secret of a vault; without slash at the end. */
  readonly scope: string;
  readonly roleId: string;
  readonly principalId: string;
  readonly principalType: string;
  readonly description: string | null;
  readonly createdBy: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** All role assignments: on disk, and in memory by principal so that a decision reads no disk. */
export class RoleAssignments {
  readonly #store: RoleAssignmentStore;
  readonly #byId = new Map<string, RoleAssignment>();
  readonly #byPrincipal = new Map<string, RoleAssignment[]>();
  #version = 0;

  constructor(store: RoleAssignmentStore) {
    this.#store = store;
    for (const assignment of store.list()) this.#keep(assignment);
  }

  /** Grows with every change: what was worked out of them before counts no more. */
  get version(): number {
    return this.#version;
  }

  list(): readonly RoleAssignment[] {
    return [...this.#byId.values()];
  }

  find(id: string): RoleAssignment | undefined {
    return this.#byId.get(id.toLowerCase());
  }

  ofPrincipal(principalId: string): readonly RoleAssignment[] {
    return this.#byPrincipal.get(principalId.toLowerCase()) ?? [];
  }

  add(assignment: RoleAssignment): void {
    this.#store.add(assignment);
    this.#keep(assignment);
  }

  remove(id: string): void {
    this.#store.remove(id);
    this.#forget(id);
  }

  /** For what is deleted: its assignments go with it (REQ-355). Call `forgetBelow` when that is on disk. */
  removeStoredBelow(scope: string): void {
    for (const { id } of this.#below(scope)) this.#store.remove(id);
  }

  forgetBelow(scope: string): void {
    for (const { id } of this.#below(scope)) this.#forget(id);
  }

  #below(scope: string): readonly RoleAssignment[] {
    return this.list().filter((assignment) => scopeHolds(scope, assignment.scope));
  }

  #keep(assignment: RoleAssignment): void {
    this.#version += 1;
    this.#byId.set(assignment.id.toLowerCase(), assignment);
    const principal = assignment.principalId.toLowerCase();
    this.#byPrincipal.set(principal, [...(this.#byPrincipal.get(principal) ?? []), assignment]);
  }

  #forget(id: string): void {
    const assignment = this.find(id);
    if (assignment === undefined) return;
    this.#version += 1;
    this.#byId.delete(id.toLowerCase());
    const principal = assignment.principalId.toLowerCase();
    const rest = this.ofPrincipal(principal).filter((one) => one !== assignment);
    if (rest.length === 0) this.#byPrincipal.delete(principal);
    else this.#byPrincipal.set(principal, rest);
  }
}
