import { randomUUID } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import type { Principal, PrincipalStore } from '../../storage/principal-store.ts';
import type { SettingsStore } from '../../storage/settings-store.ts';
import { hintOf, newClientSecret } from './client-secret.ts';
import { readCredentialCertificate } from './credential-certificate.ts';
import type { SecretHasher } from './secret-hash.ts';

/** What whoever made a principal is shown once. */
export interface NewCredentials {
  readonly appId: string;
  readonly objectId: string;
  readonly displayName: string;
  readonly password: string;
}

export interface Administrator {
  readonly objectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface PrincipalsOptions {
  readonly store: PrincipalStore;
  readonly settings: SettingsStore;
  readonly hasher: SecretHasher;
  readonly now: () => number;
}

const administratorName = 'Kannuki administrator';
const administratorLabel = 'admin.json';
const maximumPrincipals = 10_000;
const maximumCertificates = 16;

/** The service principals of the one tenant, and how they are made and unmade. */
export class Principals {
  readonly #options: PrincipalsOptions;
  readonly #store: PrincipalStore;

  constructor(options: PrincipalsOptions) {
    this.#options = options;
    this.#store = options.store;
  }

  list(): readonly Principal[] {
    return this.#store.list();
  }

  byObjectId(objectId: string): Principal | undefined {
    return this.#store.byObjectId(objectId.toLowerCase());
  }

  byAppId(appId: string): Principal | undefined {
    return this.#store.byAppId(appId.toLowerCase());
  }

  /** @param id application id or object id. @throws KannukiError KNK-IDT-0001 */
  require(id: string): Principal {
    const found = this.byAppId(id) ?? this.byObjectId(id);
    if (found === undefined) throw new KannukiError('KNK-IDT-0001', { details: { principal: id.slice(0, 100) } });
    return found;
  }

  /** @throws KannukiError KNK-SRV-0026 for a name that cannot be one, KNK-IDT-0002 where there are too many */
  async create(displayName: string): Promise<NewCredentials> {
    if (!/^[^\p{Cc}]{1,120}$/u.test(displayName)) {
      const details = { kind: 'service principal', name: displayName.slice(0, 120), rule: '1 to 120 characters' };
      throw new KannukiError('KNK-SRV-0026', { details });
    }
    if (this.#store.count() >= maximumPrincipals) throw refusal(displayName, `there are ${maximumPrincipals} already`);
    const principal = this.#newPrincipal(displayName);
    const password = await this.#addSecret(principal, null, () => this.#store.add(principal));
    return { appId: principal.appId, objectId: principal.objectId, displayName, password };
  }

  /** With its credentials; its tokens stop to work at once. @throws KannukiError KNK-IDT-0001, 0002 */
  delete(id: string): void {
    const principal = this.#requireApplication(id);
    if (principal.objectId === this.#options.settings.get('administrator-object-id')) {
      throw refusal(id, 'it is the first administrator');
    }
    this.#store.remove(principal.objectId);
  }

  /** A new secret; every other secret and every certificate stops to work. @throws KannukiError KNK-IDT-0001, 0002 */
  async reset(id: string): Promise<NewCredentials> {
    const principal = this.#requireApplication(id);
    const { objectId, appId, displayName } = principal;
    const password = await this.#addSecret(principal, null, () => {
      this.#store.removeSecrets(objectId);
      this.#store.removeCertificates(objectId);
    });
    return { appId, objectId, displayName, password };
  }

  /** @returns SHA-256 of the certificate, hex. @throws KannukiError KNK-IDT-0001, 0002, 0003 */
  addCertificate(id: string, pem: string): string {
    const { objectId } = this.#requireApplication(id);
    const createdAt = this.#options.now();
    const certificate = readCredentialCertificate(pem, createdAt);
    if (this.#store.certificates(objectId).length >= maximumCertificates) {
      throw refusal(id, `it has ${maximumCertificates} certificates already`);
    }
    this.#store.addCertificate({ ...certificate, objectId, createdAt });
    return certificate.sha256;
  }

  /**
   * The first administrator, made where there is none. The database has only a hash, so the secret is what `admin.json`
   * says; where that is lost, or is of another principal, or was reset, the same principal gets a new one for the file. Write
   * the file before anything else: a crash in between costs one more secret and nothing else.
   * @param known what `admin.json` says
   */
  async ensureAdministrator(
    known: { readonly clientId: string; readonly clientSecret: string } | undefined,
  ): Promise<Administrator> {
    const { settings } = this.#options;
    const objectId = settings.get('administrator-object-id');
    const present = objectId === undefined ? undefined : this.#store.byObjectId(objectId);
    const principal = present ?? this.#newPrincipal(administratorName);
    const hint = known?.clientId === principal.appId ? hintOf(known.clientSecret) : undefined;
    const isKnown = hint !== undefined && this.#store.secretByHint(principal.objectId, hint) !== undefined;
    const clientSecret =
      isKnown && known !== undefined
        ? known.clientSecret
        : await this.#addSecret(principal, administratorLabel, () => {
            this.#store.add(principal);
            this.#store.removeLabelledSecrets(principal.objectId, administratorLabel);
            settings.set('administrator-object-id', principal.objectId);
          });
    return { objectId: principal.objectId, clientId: principal.appId, clientSecret };
  }

  #newPrincipal(displayName: string): Principal {
    return {
      objectId: randomUUID(),
      appId: randomUUID(),
      displayName,
      kind: 'application',
      vmId: null,
      enabled: true,
      createdAt: this.#options.now(),
    };
  }

  #requireApplication(id: string): Principal {
    const principal = this.require(id);
    if (principal.kind === 'application') return principal;
    throw refusal(id, 'it is the identity of a VM');
  }

  async #addSecret({ objectId }: Principal, label: string | null, before: () => void): Promise<string> {
    const secret = newClientSecret();
    const hash = await this.#options.hasher.hash(Buffer.from(secret, 'latin1'));
    this.#store.transaction(() => {
      before();
      // Somebody may have deleted it while scrypt ran.
      this.require(objectId);
      const keyId = randomUUID();
      const hint = hintOf(secret) ?? '';
      this.#store.addSecret({ keyId, objectId, hint, label, createdAt: this.#options.now(), ...hash });
    });
    return secret;
  }
}

function refusal(principal: string, reason: string): KannukiError {
  return new KannukiError('KNK-IDT-0002', { details: { principal: principal.slice(0, 120), reason } });
}
