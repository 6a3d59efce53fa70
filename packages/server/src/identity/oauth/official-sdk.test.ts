import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ClientCertificateCredential, ClientSecretCredential } from '@azure/identity';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import { IdentityServer } from '../../testing/identity-server.ts';
import { selfSigned } from '../../testing/self-signed.ts';

const vault = 'https://vault.azure.net/.default';
const management = 'https://management.core.windows.net//.default';

test('ClientSecretCredential gets tokens that both we and anybody with our JWKS accept', async () => {
  await using server = await IdentityServer.start();
  const { identity, url } = server;
  const { appId, objectId, password } = await identity.principals.create('sdk');
  const options = { disableInstanceDiscovery: true, tlsOptions: { ca: server.authority.certificate } };
  for (const authorityHost of [url, `${url}/adfs`]) {
    const credential = new ClientSecretCredential(identity.tenantId, appId, password, { ...options, authorityHost });
    const { token, expiresOnTimestamp } = await credential.getToken(vault);
    const verified = await identity.verifier.verify(token, 'vault');
    assert.deepEqual(
      { ...verified, expiresAt: 0 },
      {
        objectId,
        applicationId: appId,
        tenantId: identity.tenantId,
        audience: 'https://vault.azure.net',
        expiresAt: 0,
      },
    );
    assert.ok(Math.abs(expiresOnTimestamp - (verified?.expiresAt ?? 0)) < 120_000);
    // The slash at the end of a resource stays (azure-core sends it doubled).
    const other = await credential.getToken(management);
    assert.equal(decodeJwt(other.token).aud, 'https://management.core.windows.net/');
    assert.ok(await identity.verifier.verify(other.token, 'management'));
    assert.equal(await identity.verifier.verify(other.token, 'vault'), undefined);

    const fetchKeys = async (address: string): Promise<Response> =>
      new Response((await server.get(new URL(address).pathname)).text);
    const jwks = createRemoteJWKSet(new URL(`${url}/${identity.tenantId}/discovery/v2.0/keys`), {
      [customFetch]: fetchKeys,
    });
    const { payload } = await jwtVerify(token, jwks, { issuer: `https://sts.windows.net/${identity.tenantId}/` });
    assert.equal(payload.ver, '1.0');
  }
  // Four tokens, one run of scrypt for the check and one for making the secret.
  assert.equal(identity.hasher.runs, 2);

  const wrong = new ClientSecretCredential(identity.tenantId, appId, 'wrong', { ...options, authorityHost: url });
  await assert.rejects(wrong.getToken(vault), /AADSTS7000215/);
  assert.deepEqual(server.failures, []);
});

test('ClientCertificateCredential gets tokens for several resources with one assertion; another key gets none', async () => {
  await using server = await IdentityServer.start();
  const { identity, url } = server;
  const { appId } = await identity.principals.create('certificate');
  const { certificate, key } = await selfSigned('RSA');
  const thumbprint = identity.principals.addCertificate(appId, certificate);
  assert.equal(thumbprint, createHash('sha256').update(derOf(certificate)).digest('hex'));
  const options = {
    authorityHost: url,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: server.authority.certificate },
  };
  const credential = new ClientCertificateCredential(
    identity.tenantId,
    appId,
    { certificate: key + certificate },
    options,
  );
  for (const scope of [vault, management]) {
    const { token } = await credential.getToken(scope);
    assert.equal(decodeJwt(token).appid, appId);
  }
  const stranger = await selfSigned('RSA');
  const refused = new ClientCertificateCredential(
    identity.tenantId,
    appId,
    { certificate: stranger.key + stranger.certificate },
    options,
  );
  await assert.rejects(refused.getToken(vault), /AADSTS700027/);
});

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}
