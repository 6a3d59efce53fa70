import { KannukiError } from '@kannuki/core';
import type {
  DeletedSecret,
  Page,
  PageRequest,
  SecretChange,
  SecretVersion,
  SecretWithValue,
} from '../service/model.ts';
import type { NewSecretSpec, VaultSecrets, VaultTerms } from '../service/vault-objects.ts';
import { secretAttributes, secretVersion } from './attributes.ts';
import { changesOf, deletionOf, mapPage } from './object-answers.ts';
import { assertContentType, assertSecretValue, assertTags, assertValidity } from './object-checks.ts';
import { ObjectLifecycle } from './object-lifecycle.ts';
import type { VersionRow } from './statements.ts';
import type { VaultContext } from './vault-context.ts';

const changeable = ['enabled', 'notBefore', 'expires', 'contentType', 'tags'] as const;

/** Secrets of one vault in the embedded database. */
export class EmbeddedSecrets implements VaultSecrets {
  readonly #context: VaultContext;
  readonly #objects: ObjectLifecycle;

  constructor(context: VaultContext, vault: string) {
    this.#context = context;
    this.#objects = new ObjectLifecycle(context, vault, 'secrets', async () => undefined);
  }

  async set(name: string, spec: NewSecretSpec): Promise<SecretVersion> {
    const of = this.#objects.named(name);
    const { value, contentType, tags, enabled, notBefore, expires } = spec;
    assertSecretValue(value);
    assertContentType(contentType);
    assertTags(tags, 'secrets');
    assertValidity(spec);
    const attributes = secretAttributes.write({ enabled, contentType, tags, notBefore, expires, updated: null });
    return infoOf(await this.#context.changes.addVersion(of, { attributes, value, now: this.#context.now() }));
  }

  async get(name: string, version: string | null): Promise<SecretWithValue> {
    const row = this.#objects.row(name, version);
    const info = infoOf(row);
    if (!info.enabled) {
      throw new KannukiError('KNK-KVT-0004', { details: { object: `secrets/${info.name}/${info.version}` } });
    }
    return { ...info, value: await this.#context.store.openValue(row) };
  }

  async list(page: PageRequest): Promise<Page<SecretVersion>> {
    return mapPage(this.#objects.page(page, 'live'), infoOf);
  }

  async versions(name: string, page: PageRequest): Promise<Page<SecretVersion>> {
    return mapPage(this.#objects.versions(name, page), infoOf);
  }

  async update(name: string, version: string | null, change: SecretChange): Promise<SecretVersion> {
    const { fields } = this.#objects.row(name, version);
    const updated = Math.floor(this.#context.now() / 1000);
    const changed = (text: string): string => {
      const attributes = { ...secretAttributes.read(text), ...changesOf(change, changeable), updated };
      assertContentType(attributes.contentType);
      assertTags(attributes.tags, 'secrets');
      assertValidity(attributes);
      return secretAttributes.write(attributes);
    };
    return infoOf(await this.#context.changes.replaceAttributes(fields, fields.version, changed));
  }

  async delete(name: string, terms: VaultTerms): Promise<DeletedSecret> {
    return deletedInfo(await this.#objects.delete(name, terms));
  }

  async getDeleted(name: string): Promise<DeletedSecret> {
    return deletedInfo(this.#objects.deleted(name));
  }

  async listDeleted(page: PageRequest): Promise<Page<DeletedSecret>> {
    return mapPage(this.#objects.page(page, 'deleted'), deletedInfo);
  }

  async recover(name: string): Promise<SecretVersion> {
    return infoOf(await this.#objects.recover(name));
  }

  async purge(name: string, terms: VaultTerms): Promise<void> {
    await this.#objects.purge(name, terms);
  }

  /** For the timer: REQ-354. */
  purgeDue(name: string, now: number): Promise<void> {
    return this.#objects.purgeDue(name, now);
  }

  backup(name: string): Promise<Uint8Array> {
    return this.#objects.backup(name, async () => undefined);
  }

  async restore(backup: Uint8Array): Promise<SecretVersion> {
    return infoOf(await this.#objects.restore(backup));
  }
}

function infoOf({ fields }: VersionRow): SecretVersion {
  return secretVersion(fields, secretAttributes.read(fields.attributes));
}

function deletedInfo(row: VersionRow): DeletedSecret {
  return { ...infoOf(row), ...deletionOf(row) };
}
