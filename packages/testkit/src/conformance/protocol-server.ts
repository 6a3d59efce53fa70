import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { ResourceManagementClient } from '@azure/arm-resources';
import { ClientSecretCredential, type TokenCredential } from '@azure/identity';
import { ownAgent } from '@kannuki/keyvault/azure/own-agent';
import type { AdminFile } from '@kannuki/server';
import { TestServer } from '@kannuki/server/testing/test-server';

/**
 * Our server as Azure's clients see it: in this process, on a free port, over TLS with its own authority, and nothing but
 * its `admin.json` known of it.
 */
export interface ProtocolServer extends AsyncDisposable {
  readonly server: TestServer;
  readonly admin: AdminFile;
  /** Of the first administrator, a service principal. */
  readonly credential: TokenCredential;
  /** For options of Azure's clients: trusts the server's authority and finds names below `.localhost`. */
  readonly agent: Agent;
  /**
   * Makes a vault with Azure's management client. @param mayUse whether the administrator may use its keys and secrets
   * @returns `https://NAME.SUFFIX:PORT`
   */
  createVault(name: string, mayUse?: boolean): Promise<string>;
}

const group = 'conformance';

export async function startProtocolServer(config: Readonly<Record<string, unknown>> = {}): Promise<ProtocolServer> {
  const server = await TestServer.start(config);
  try {
    const admin = JSON.parse(await readFile(join(server.folder, 'admin.json'), 'utf8')) as AdminFile;
    const agent = ownAgent(await readFile(admin.caFile, 'utf8'));
    const { server: endpoint, tenantId, subscriptionId, objectId, clientId, clientSecret } = admin;
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
      agent,
      authorityHost: endpoint,
      disableInstanceDiscovery: true,
    });
    const options = { agent, endpoint, credentials: { scopes: ['https://management.azure.com/.default'] } };
    const groups = new ResourceManagementClient(credential, subscriptionId, options).resourceGroups;
    const { vaults } = new KeyVaultManagementClient(credential, subscriptionId, options);
    await groups.createOrUpdate(group, { location: 'local' });
    return {
      server,
      admin,
      credential,
      agent,
      async createVault(name, mayUse = true) {
        const permissions = { keys: ['all'], secrets: ['all'] };
        await vaults.createOrUpdate(group, name, {
          location: 'local',
          properties: {
            tenantId,
            sku: { family: 'A', name: 'standard' },
            enableRbacAuthorization: false,
            accessPolicies: mayUse ? [{ tenantId, objectId, permissions }] : [],
          },
        });
        return `https://${name}.${admin.vaultDnsSuffix}`;
      },
      async [Symbol.asyncDispose]() {
        agent.destroy();
        await server[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
