import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Caller } from '@kannuki/keyvault/service/access';
import type { DataAction } from '@kannuki/keyvault/service/actions';
import { ServerDatabase } from '../../storage/database.ts';
import { RoleAssignmentStore } from '../../storage/role-assignment-store.ts';
import { newVault, type VaultChange } from '../../vaults/vault-change.ts';
import type { VaultRecord } from '../../vaults/vault-record.ts';
import { Authorizer } from './authorizer.ts';
import { allDataActions } from './data-actions.ts';
import { RoleAssignments } from './role-assignments.ts';
import { findRole, roleDefinitions } from './role-definitions.ts';
import { VaultAccess } from './vault-access.ts';

const subscriptionId = '11111111-2222-3333-4444-555555555555';
const tenantId = '99999999-2222-3333-4444-555555555555';
const principal = '22222222-2222-3333-4444-555555555555';
const application = '33333333-2222-3333-4444-555555555555';
const subscription = `/subscriptions/${subscriptionId}`;
const group = `${subscription}/resourceGroups/rg1`;
const vaultScope = `${group}/providers/Microsoft.KeyVault/vaults/kv1`;

const caller: Caller = {
  objectId: principal,
  applicationId: application,
  tenantId,
  address: '192.0.2.7',
  isLocalAdministrator: false,
};
const local: Caller = { ...caller, objectId: 'local', address: 'local', isLocalAdministrator: true };

function vault(change: VaultChange, name = 'kv1'): VaultRecord {
  return { ...newVault({ name, resourceGroup: 'rg1', location: 'local', createdAt: 0 }, change), state: 'ready' };
}

async function withAccess(
  body: (
    access: VaultAccess,
    assign: (role: string, scope: string, who?: string) => string,
    all: RoleAssignments,
  ) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-access-'));
  const database = await ServerDatabase.open(join(folder, 'server.db'));
  try {
    const assignments = new RoleAssignments(new RoleAssignmentStore(database));
    const access = new VaultAccess(assignments, { subscriptionId, tenantId });
    const assign = (role: string, scope: string, who = principal): string => {
      const roleId = roleDefinitions.find(({ name }) => name === role)?.id;
      assert.ok(roleId !== undefined, role);
      const common = { principalType: 'ServicePrincipal', description: null, createdBy: 'x', createdAt: 1 };
      const id = randomUUID();
      assignments.add({ id, scope, roleId, principalId: who, ...common });
      return id;
    };
    body(access, assign, assignments);
    // What is on disk says the same.
    assert.deepEqual(new RoleAssignments(new RoleAssignmentStore(database)).list().length, assignments.list().length);
  } finally {
    database.close();
    await rm(folder, { recursive: true });
  }
}

/** What a principal may do in a vault, on a named object. */
function granted(access: VaultAccess, who: Caller = caller, object: string | null = 'x', name = 'kv1'): DataAction[] {
  const settings = access.vault(name);
  assert.ok(settings !== undefined);
  return allDataActions.filter((action) => {
    const collection = action.startsWith('keys/') ? 'keys' : 'secrets';
    return access.permits(settings, who, action, object === null ? null : { collection, name: object });
  });
}

const allKeys = allDataActions.filter((action) => action.startsWith('keys/'));
const allSecrets = allDataActions.filter((action) => action.startsWith('secrets/'));

/** REQ-358 to REQ-365. */
const roleRows: readonly (readonly [string, readonly DataAction[]])[] = [
  ['Key Vault Administrator', allDataActions],
  ['Key Vault Reader', ['keys/get', 'keys/list', 'keys/getrotationpolicy', 'secrets/list']],
  ['Key Vault Crypto Officer', allKeys],
  [
    'Key Vault Crypto User',
    [
      'keys/get',
      'keys/list',
      'keys/update',
      'keys/backup',
      'keys/decrypt',
      'keys/encrypt',
      'keys/unwrapKey',
      'keys/wrapKey',
      'keys/verify',
      'keys/sign',
    ],
  ],
  ['Key Vault Crypto Service Encryption User', ['keys/get', 'keys/list', 'keys/unwrapKey', 'keys/wrapKey']],
  ['Key Vault Crypto Service Release User', ['keys/release']],
  ['Key Vault Secrets Officer', allSecrets],
  ['Key Vault Secrets User', ['secrets/get', 'secrets/list']],
  ['Key Vault Certificates Officer', []],
  ['Key Vault Purge Operator', []],
  ['Key Vault Contributor', []],
  ['Key Vault Data Access Administrator', []],
  ['Owner', []],
  ['Contributor', []],
  ['Reader', []],
  ['User Access Administrator', []],
];

test('each role gives exactly its data actions, at every scope that holds the vault', () =>
  withAccess((access, assign, assignments) => {
    assert.deepEqual(roleRows.map(([name]) => name).sort(), roleDefinitions.map(({ name }) => name).sort());
    access.set(vault({ rbac: true }));
    for (const [role, expected] of roleRows) {
      for (const scope of [subscription, group.toUpperCase(), vaultScope]) {
        const id = assign(role, scope);
        assert.deepEqual(granted(access).sort(), [...expected].sort(), `${role} at ${scope}`);
        assert.deepEqual(granted(access, caller, null).sort(), [...expected].sort(), role);
        assignments.remove(id);
      }
    }
    assert.deepEqual(granted(access), []);
  }));

test('a role on one key or secret counts for that one (REQ-366); one elsewhere for nothing', () =>
  withAccess((access, assign) => {
    access.set(vault({ rbac: true }));
    assign('Key Vault Secrets User', `${vaultScope}/secrets/Mine`);
    assign('Key Vault Crypto User', `${vaultScope}0`);
    assign('Key Vault Administrator', `${subscription}/resourceGroups/rg10`);
    assign('Key Vault Administrator', vaultScope, application);
    assert.deepEqual(granted(access, caller, 'mINE'), ['secrets/get', 'secrets/list']);
    assert.deepEqual(granted(access, caller, 'other'), []);
    assert.deepEqual(granted(access, caller, null), []);
    assert.deepEqual(granted(access, { ...caller, tenantId: randomUUID() }, 'mine'), []);
    assert.deepEqual(granted(access, local), allDataActions);
  }));

test('access policies: exactly what they name, void under roles, roles void under them (REQ-357)', () =>
  withAccess((access, assign) => {
    const permissions = { keys: [] as string[], secrets: ['get', 'set'], certificates: ['get'], storage: [] };
    const policy = { tenantId, objectId: principal.toUpperCase(), applicationId: null, permissions };
    access.set(vault({ rbac: false, accessPolicies: [policy] }));
    assign('Key Vault Administrator', subscription);
    assert.deepEqual(granted(access), ['secrets/get', 'secrets/set']);
    assert.deepEqual(granted(access, { ...caller, tenantId: randomUUID() }), []);
    assert.deepEqual(granted(access, { ...caller, objectId: application }), []);
    access.set(vault({ rbac: true, accessPolicies: [policy] }));
    assert.deepEqual(granted(access), allDataActions);
    access.set(vault({ rbac: false, accessPolicies: [{ ...policy, tenantId: randomUUID() }] }));
    assert.deepEqual(granted(access), []);
    // For one application of the principal.
    access.set(vault({ rbac: false, accessPolicies: [{ ...policy, applicationId: application }] }));
    assert.deepEqual(granted(access), ['secrets/get', 'secrets/set']);
    assert.deepEqual(granted(access, { ...caller, applicationId: null }), []);
    // "all" is all but what has to be named.
    const everything = { keys: ['all'], secrets: ['all', 'purge'], certificates: [], storage: [] };
    access.set(vault({ rbac: false, accessPolicies: [{ ...policy, permissions: everything }] }));
    const withheld = allDataActions.filter((action) => !granted(access).includes(action));
    assert.deepEqual(withheld, ['keys/purge', 'keys/release']);
  }));

test('network rules (REQ-324)', () =>
  withAccess((access) => {
    const rules = (defaultAction: 'Allow' | 'Deny', ...ipRules: string[]): VaultChange => ({
      networkRules: { bypass: 'AzureServices', defaultAction, ipRules, virtualNetworkRules: [] },
    });
    const rows: readonly (readonly [VaultChange, string, boolean])[] = [
      [{}, '192.0.2.7', true],
      [rules('Allow'), '192.0.2.7', true],
      [rules('Deny'), '192.0.2.7', false],
      [rules('Deny'), '127.0.0.1', false],
      [rules('Deny', '192.0.2.7'), '192.0.2.7', true],
      [rules('Deny', '192.0.2.7'), '192.0.2.8', false],
      [rules('Deny', '192.0.2.0/24', '10.0.0.1/32'), '192.0.2.255', true],
      [rules('Deny', '192.0.2.0/24'), '192.0.3.0', false],
      [rules('Deny', '2001:db8::/32'), '2001:db8:1::9', true],
      [rules('Deny', '2001:db8::/32'), '2001:db9::', false],
      [rules('Deny', '2001:db8::1'), '192.0.2.7', false],
      [rules('Deny', '0.0.0.0/0'), '192.0.2.7', true],
      [{ publicNetworkAccess: 'Disabled' }, '192.0.2.7', false],
      [{ ...rules('Deny', '192.0.2.7'), publicNetworkAccess: 'Disabled' }, '192.0.2.7', false],
    ];
    for (const [change, address, expected] of rows) {
      access.set(vault(change));
      const settings = access.vault('KV1');
      assert.ok(settings !== undefined);
      assert.equal(
        access.admitsAddress(settings, { ...caller, address }),
        expected,
        `${JSON.stringify(change)} ${address}`,
      );
      assert.equal(access.admitsAddress(settings, local), true);
    }
  }));

test('a deleted, half made or unknown vault is none', () =>
  withAccess((access) => {
    access.set(vault({ rbac: true }));
    const settings = access.vault('kv1');
    assert.ok(settings !== undefined);
    for (const gone of [
      { ...vault({}), deletion: { deletedAt: 1, purgeAt: 2 } },
      { ...vault({}), state: 'creating' as const },
      { ...vault({}), state: 'purging' as const },
    ]) {
      access.set(vault({ rbac: true }));
      access.set(gone);
      assert.equal(access.vault('kv1'), undefined);
      assert.equal(access.permits(settings, caller, 'keys/get', null), false);
      assert.equal(access.admitsAddress(settings, caller), false);
    }
  }));

test('the management plane: actions, notActions and scopes', () =>
  withAccess((_access, assign, assignments) => {
    const authorizer = new Authorizer(assignments, tenantId);
    const purge = 'Microsoft.KeyVault/locations/deletedVaults/purge/action';
    const rows: readonly (readonly [string, string, string, string, boolean])[] = [
      ['Owner', subscription, 'Microsoft.Authorization/roleAssignments/write', vaultScope, true],
      ['Contributor', subscription, 'Microsoft.KeyVault/vaults/write', vaultScope, true],
      ['Contributor', subscription, 'Microsoft.Authorization/roleAssignments/write', vaultScope, false],
      ['Contributor', group, 'Microsoft.KeyVault/vaults/write', subscription, false],
      ['Reader', subscription, 'microsoft.keyvault/VAULTS/read', vaultScope, true],
      ['Reader', subscription, 'Microsoft.KeyVault/vaults/write', vaultScope, false],
      ['Key Vault Contributor', group, 'Microsoft.KeyVault/vaults/accessPolicies/write', vaultScope, true],
      ['Key Vault Contributor', subscription, purge, subscription, false],
      ['Key Vault Purge Operator', subscription, purge, subscription, true],
      ['Key Vault Administrator', subscription, 'Microsoft.KeyVault/vaults/read', vaultScope, false],
      ['Key Vault Administrator', subscription, 'Microsoft.KeyVault/vaults/write', vaultScope, false],
    ];
    for (const [role, at, action, scope, expected] of rows) {
      const id = assign(role, at);
      assert.equal(authorizer.permits(caller, action, scope), expected, `${role} ${action}`);
      assert.equal(authorizer.permits({ ...caller, tenantId: randomUUID() }, action, scope), false);
      assert.equal(authorizer.permits({ ...caller, objectId: application }, action, scope), false);
      assignments.remove(id);
    }
    assert.equal(authorizer.permits(local, purge, subscription), true);
    // Who may give data roles may give nothing else, and may not take the owner's away.
    assign('Key Vault Data Access Administrator', group);
    const given = (name: string): string => roleDefinitions.find((role) => role.name === name)?.id ?? '';
    for (const change of ['write', 'delete'] as const) {
      authorizer.requireAssignment(caller, change, vaultScope, given('Key Vault Crypto User'));
      const refused = { code: 'KNK-ARM-0006' };
      assert.throws(() => authorizer.requireAssignment(caller, change, vaultScope, given('Owner')), refused);
      assert.throws(
        () => authorizer.requireAssignment(caller, change, subscription, given('Key Vault Reader')),
        refused,
      );
    }
    assert.equal(authorizer.mayAssignAnyRole(caller, vaultScope), false);
  }));

test('roles have the GUIDs of Azure, in any spelling of their ids', () => {
  const rows = [
    ['8e3af657-a8ff-443c-a75c-2fe8c4bcb635', 'Owner'],
    [
      `${subscription}/providers/Microsoft.Authorization/roleDefinitions/ACDD72A7-3385-48EF-BD42-F606FBA81AE7`,
      'Reader',
    ],
    [
      '/providers/Microsoft.Authorization/roleDefinitions/a68e7c17-0ab2-4c09-9a58-125dae29748c',
      'Key Vault Purge Operator',
    ],
  ];
  for (const [id = '', name] of rows) assert.equal(findRole(id)?.name, name);
  assert.equal(findRole(randomUUID()), undefined);
  assert.equal(new Set(roleDefinitions.map(({ id }) => id)).size, roleDefinitions.length);
});
