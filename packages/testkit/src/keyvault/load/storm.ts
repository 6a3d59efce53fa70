import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Authority } from '@kannuki/server/identity/authority';
import { exportPrivateKey, generateKeys } from '@kannuki/server/identity/x509';
import { CertificateStore } from '@kannuki/server/storage/certificate-store';
import { ServerDatabase } from '@kannuki/server/storage/database';
import { VmStore } from '@kannuki/server/storage/vm-store';
import { RestClient } from '../rest-client.ts';
import type { ServerProcess } from '../server-process.ts';
import { LoadConnection } from './connection.ts';
import { type LoadTarget, loadTarget } from './measure.ts';

export interface StormResult {
  /** From the first connection to the last answer. */
  readonly seconds: number;
  /** CPU time of the server for one VM: a handshake with client certificate, a token, a secret, an unwrap. */
  readonly serverMilliseconds: number;
  readonly clientMilliseconds: number;
}

interface StormVm {
  /** Certificate, key and authority of the VM, read already: that is work of VMs, not of the server. */
  readonly secureContext: SecureContext;
}

/** How many VMs are at it at one time: as many connections as a switch lets through at once after a power failure. */
const width = 200;
const vault = 'storm';
/** Key Vault Administrator would do; a VM gets what it needs: Crypto Service Encryption User and Secrets User. */
const roles = ['e147488a-f6f5-4113-8e2d-b22465e65bf6', '4633458b-17de-408a-b874-0445c86b69e6'] as const;

/**
 * The power comes back and every VM starts at once: each opens a connection with its own certificate, gets a token for
 * its managed identity, reads its secret and has it unwrapped. The server has just been started too: nothing is cached.
 * The VMs' side of it runs on the same processors, in this process; what it takes of them is told apart.
 */
export async function storm(server: ServerProcess, count: number): Promise<StormResult> {
  const target = await loadTarget(server, vault);
  const vms = await enrol(server, count);
  await permit(server, target, vms);
  await server.stop();
  await server.start();
  // The token in the target's requests is the administrator's; each VM comes with its own.
  const [started, serverBefore, clientBefore] = [performance.now(), server.cpuSeconds(), process.cpuUsage()];
  await inParallel(vms, async (vm) => {
    const connection = await LoadConnection.open({ ...target.tls, secureContext: vm.secureContext });
    const token = await tokenOf(connection, target);
    for (const { head, body } of [target.get, target.unwrap]) {
      const answer = await connection.send(head.replace(/Bearer \S+/, `Bearer ${token}`), body);
      if (answer.status !== 200) throw new Error(`answered with ${answer.status}: ${answer.body.slice(0, 300)}`);
    }
    connection.close();
  });
  const client = process.cpuUsage(clientBefore);
  return {
    seconds: (performance.now() - started) / 1000,
    serverMilliseconds: ((server.cpuSeconds() - serverBefore) * 1000) / count,
    clientMilliseconds: (client.user + client.system) / 1000 / count,
  };
}

async function tokenOf(connection: LoadConnection, { tls }: LoadTarget): Promise<string> {
  const { status, body } = await connection.send(
    `GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net HTTP/1.1\r\nHost: ${tls.host}:${tls.port}\r\nMetadata: true\r\n`,
  );
  if (status !== 200) throw new Error(`no token: ${status} ${body.slice(0, 300)}`);
  return String((JSON.parse(body) as { access_token: string }).access_token);
}

/** VMs as `vm create` and a first join leave them, written straight into the database of the stopped server. */
async function enrol(server: ServerProcess, count: number): Promise<readonly StormVm[]> {
  await server.stop();
  const authority = await Authority.open(join(server.data, 'authority'));
  const database = await ServerDatabase.open(join(server.data, 'server.db'));
  const [vmStore, certificates] = [new VmStore(database), new CertificateStore(database)];
  const keys = await generateKeys();
  const key = await exportPrivateKey(keys.privateKey);
  const issued = await Promise.all(
    Array.from({ length: count }, async () => {
      const id = randomUUID();
      return { id, ...(await authority.issueAgent(keys.publicKey, id)) };
    }),
  );
  database.transaction(() => {
    for (const [index, { id, serial, notAfter }] of issued.entries()) {
      const model = {
        location: 'local',
        zone: null,
        image: 'none',
        imageUrn: 'a:b:c:d',
        size: 'Standard_B1ms',
        memoryMib: 2048,
        cpus: 1,
        dataDisks: [],
      };
      const name = `storm-${index}`;
      vmStore.add({
        id,
        resourceGroup: 'rg',
        name,
        hostName: name,
        state: 'ready',
        model,
        keyVolumeId: '0000-0000',
        createdAt: Date.now(),
      });
      certificates.add({ serial, vmId: id, issuedAt: Date.now(), notAfter: notAfter.getTime() });
      certificates.markUsed(serial, Date.now());
    }
  });
  database.close();
  await server.start();
  const { certificate: ca } = authority;
  return issued.map(({ certificate: cert }) => ({ secureContext: createSecureContext({ ca, cert, key }) }));
}

async function permit(server: ServerProcess, target: LoadTarget, vms: readonly StormVm[]): Promise<void> {
  const { subscriptionId } = server.admin;
  await using client = new RestClient(server.admin, 16);
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/${vault}`;
  await inParallel(vms, async ({ secureContext }) => {
    const connection = await LoadConnection.open({ ...target.tls, secureContext });
    const [, claims = ''] = (await tokenOf(connection, target)).split('.');
    connection.close();
    const principalId = (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { oid: string }).oid;
    for (const role of roles) {
      const roleDefinitionId = `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
      const path = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
      const properties = { principalId, roleDefinitionId, principalType: 'ServicePrincipal' };
      const { status, json } = await client.arm('PUT', path, { properties });
      if (status >= 300) throw new Error(`no role: ${status} ${JSON.stringify(json)}`);
    }
  });
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
