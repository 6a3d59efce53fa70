import { randomUUID } from 'node:crypto';
import type { KeyClientOptions } from '@azure/keyvault-keys';
import type { DataPlanePort } from '../service/data-plane-call.ts';
import { testCaller } from './memory-data-plane.ts';

export type SdkHttpClient = NonNullable<KeyClientOptions['httpClient']>;
type SdkRequest = Parameters<SdkHttpClient['sendRequest']>[0];
type SdkHeaders = SdkRequest['headers'];

/** What the official clients ask for as a credential; who the caller is, is the transport's business here. */
export const sdkCredential = {
  getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/**
 * Lets the official SDKs talk to a data plane in this process: they build and read everything as over HTTP, with the
 * challenge (REQ-321) answered where a request has no token.
 */
export function sdkTransport(plane: DataPlanePort): SdkHttpClient {
  return {
    sendRequest: async (request) => {
      if (!request.headers.has('authorization')) {
        const challenge = 'Bearer authorization="https://login.localhost/tenant", resource="https://vault.localhost"';
        return { request, status: 401, headers: headersOf(request, { 'www-authenticate': challenge }) };
      }
      const url = new URL(request.url);
      const reply = await plane.handle({
        method: request.method,
        vaultName: url.hostname.split('.')[0] ?? '',
        baseUrl: url.origin,
        // The SDKs write `//` where a version is missing, and so it goes over the wire.
        path: url.pathname,
        query: url.search.slice(1),
        body: Buffer.from(typeof request.body === 'string' ? request.body : ''),
        caller: testCaller,
        requestId: randomUUID(),
      });
      const bodyAsText = reply.body.toString('utf8');
      return { request, status: reply.status, headers: headersOf(request, reply.headers), bodyAsText };
    },
  };
}

/** The SDK's own class of headers, which it does not export. */
function headersOf(request: SdkRequest, values: Readonly<Record<string, string>>): SdkHeaders {
  const Headers = request.headers.constructor as new (values: Readonly<Record<string, string>>) => SdkHeaders;
  return new Headers(values);
}
