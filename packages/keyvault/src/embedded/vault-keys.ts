import { KannukiError, type SecretBytes } from '@kannuki/core';
import { dueRotations, firstDue, type KeyEvent, type TellKeyEvent } from '../rotation/due-rotations.ts';
import { assertPolicy, defaultNotify, expiryOf, type PolicyRules } from '../rotation/policy.ts';
import type { EncryptionAlgorithm, KeyShape, SignatureAlgorithm } from '../service/key-module.ts';
import type { DeletedKey, KeyChange, KeyVersion, Page, PageRequest, RotationPolicy } from '../service/model.ts';
import type { ImportedKeySpec, NewKeySpec, VaultKeys, VaultTerms } from '../service/vault-objects.ts';
import { type KeyAttributes, keyAttributes } from './attributes.ts';
import { HardwareKeys, isHardware } from './hardware-keys.ts';
import { KeyUse, readKey } from './key-use.ts';
import { curves } from './key-work/curves.ts';
import { assertShape, type KeyMaterial } from './key-work/key-material.ts';
import { changesOf, deletionOf, mapPage } from './object-answers.ts';
import { notFound } from './object-changes.ts';
import { assertTags, assertValidity, checkedOperations } from './object-checks.ts';
import { ObjectLifecycle } from './object-lifecycle.ts';
import { type ObjectName, type ObjectState, plainState } from './object-state.ts';
import type { VersionRow } from './statements.ts';
import type { VaultContext } from './vault-context.ts';

type NewVersion = Omit<KeyAttributes, 'updated' | 'publicKey' | 'kind' | 'bits'>;

const changeable = ['enabled', 'notBefore', 'expires', 'operations', 'tags'] as const;

/** Keys of one vault in the embedded database. */
export class EmbeddedKeys implements VaultKeys {
  readonly #context: VaultContext;
  readonly #objects: ObjectLifecycle;
  readonly #hardware: HardwareKeys;
  readonly #use: KeyUse;
  /** Names (in lower case) that the timer is busy with, so that two runs at once do not rotate a key twice. */
  readonly #busy = new Set<string>();

  constructor(context: VaultContext, vault: string) {
    this.#context = context;
    this.#hardware = new HardwareKeys(context);
    this.#objects = new ObjectLifecycle(context, vault, 'keys', (rows) => this.#hardware.destroy(rows));
    this.#use = new KeyUse(context, this.#hardware);
  }

  async create(name: string, spec: NewKeySpec, terms: VaultTerms): Promise<KeyVersion> {
    const of = this.#objects.named(name);
    const { shape, hardware, enabled, notBefore, expires, tags } = spec;
    assertShape(shape);
    const operations = checkedOperations(shape.kty, spec.operations);
    assertTags(tags, 'keys');
    assertValidity(spec);
    if (hardware) this.#hardware.assertCan(shape, terms);
    this.#objects.assertFree(of);
    return this.#addNew(of, shape, hardware, { enabled, notBefore, expires, tags, operations });
  }

  async import(name: string, spec: ImportedKeySpec, _terms: VaultTerms): Promise<KeyVersion> {
    using privateKey = spec.privateKey;
    const of = this.#objects.named(name);
    const { enabled, notBefore, expires, tags } = spec;
    assertTags(tags, 'keys');
    assertValidity(spec);
    if (spec.hardware) {
      const reason = 'what was outside the HSM cannot become a key that never was';
      throw new KannukiError('KNK-KVT-0026', { details: { what: 'import of an HSM-protected key', reason } });
    }
    this.#objects.assertFree(of);
    const material = await this.#context.work.import(privateKey);
    using imported = material.privateKey;
    const operations = checkedOperations(material.shape.kty, spec.operations);
    const added = { enabled, notBefore, expires, tags, operations };
    return await this.#add(of, { ...material, privateKey: imported }, false, added);
  }

  async get(name: string, version: string | null): Promise<KeyVersion> {
    return infoOf(this.#objects.row(name, version));
  }

  async list(page: PageRequest): Promise<Page<KeyVersion>> {
    return mapPage(this.#objects.page(page, 'live'), infoOf);
  }

  async versions(name: string, page: PageRequest): Promise<Page<KeyVersion>> {
    return mapPage(this.#objects.versions(name, page), infoOf);
  }

  async update(name: string, version: string | null, change: KeyChange): Promise<KeyVersion> {
    const { fields, object } = this.#objects.row(name, version);
    const now = this.#context.now();
    const changed = (text: string): string => {
      const before = keyAttributes.read(text);
      const { operations, ...rest } = changesOf(change, changeable);
      const attributes = {
        ...before,
        ...rest,
        operations: operations === undefined ? before.operations : checkedOperations(ktyOf(before), operations),
        updated: Math.floor(now / 1000),
      };
      assertTags(attributes.tags, 'keys');
      assertValidity(attributes);
      return keyAttributes.write(attributes);
    };
    const isOtherLife = change.expires !== undefined || change.enabled !== undefined;
    const row = await this.#context.changes.replaceAttributes(fields, fields.version, changed, (state, after) =>
      isOtherLife ? this.#withDue(state, after) : state,
    );
    this.#context.work.forget(object.id);
    return infoOf(row);
  }

  async delete(name: string, terms: VaultTerms): Promise<DeletedKey> {
    return deletedInfo(await this.#objects.delete(name, terms));
  }

  async getDeleted(name: string): Promise<DeletedKey> {
    return deletedInfo(this.#objects.deleted(name));
  }

  async listDeleted(page: PageRequest): Promise<Page<DeletedKey>> {
    return mapPage(this.#objects.page(page, 'deleted'), deletedInfo);
  }

  async recover(name: string): Promise<KeyVersion> {
    return infoOf(await this.#objects.recover(name));
  }

  async purge(name: string, terms: VaultTerms): Promise<void> {
    await this.#objects.purge(name, terms);
  }

  /** For the timer: REQ-354. */
  purgeDue(name: string, now: number): Promise<void> {
    return this.#objects.purgeDue(name, now);
  }

  /** @throws KannukiError KNK-KVT-0026 for HSM-protected keys: only their module has them */
  backup(name: string): Promise<Uint8Array> {
    return this.#objects.backup(name, async (rows) => this.#hardware.assertNone(rows));
  }

  async restore(backup: Uint8Array): Promise<KeyVersion> {
    const row = await this.#objects.restore(backup, (policy, newest) =>
      this.#withDue({ ...plainState, policy }, newest),
    );
    return infoOf(row);
  }

  /** @throws KannukiError KNK-KVT-0004: a disabled key is not enabled by the way */
  async rotate(name: string, terms: VaultTerms): Promise<KeyVersion> {
    const row = this.#objects.row(name, null);
    const { kind, bits, enabled } = infoOf(row);
    if (isHardware(kind)) this.#hardware.assertCan(shapeOf(infoOf(row)), terms);
    if (!enabled) throw new KannukiError('KNK-KVT-0004', { details: { object: `keys/${name} (${kind} ${bits})` } });
    return this.#rotate(row);
  }

  async rotationPolicy(name: string): Promise<RotationPolicy> {
    const { fields, object } = this.#objects.row(name, null);
    const stored = policyOf(object.state);
    if (stored !== undefined) return stored;
    const created = Math.floor(fields.createdAt / 1000);
    return { lifetimeActions: [defaultNotify], expiryTime: null, created, updated: created };
  }

  async setRotationPolicy(name: string, { lifetimeActions, expiryTime }: PolicyRules): Promise<RotationPolicy> {
    const of = this.#objects.named(name);
    const now = this.#context.now();
    assertPolicy({ lifetimeActions, expiryTime }, now);
    const updated = Math.floor(now / 1000);
    const state = await this.#context.changes.setState(of, (object) => {
      if (object.state.deletedAt !== null) throw notFound(of);
      const created = policyOf(object.state)?.created ?? updated;
      const policy: RotationPolicy = { lifetimeActions, expiryTime, created, updated };
      return this.#withDue({ ...object.state, policy: JSON.stringify(policy) }, this.#objects.row(name, null).fields);
    });
    return policyOf(state) ?? this.rotationPolicy(name);
  }

  encrypt(
    name: string,
    version: string | null,
    operation: 'encrypt' | 'wrapKey',
    algorithm: EncryptionAlgorithm,
    plain: SecretBytes,
  ): Promise<{ readonly key: KeyVersion; readonly value: Uint8Array }> {
    return this.#use.encrypt(this.#objects.row(name, version), operation, algorithm, plain);
  }

  async decrypt(
    name: string,
    version: string | null,
    operation: 'decrypt' | 'unwrapKey',
    algorithm: EncryptionAlgorithm,
    ciphertext: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: SecretBytes }> {
    return this.#use.decrypt(this.#objects.row(name, version), operation, algorithm, ciphertext);
  }

  async sign(
    name: string,
    version: string | null,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: Uint8Array }> {
    return this.#use.sign(this.#objects.row(name, version), algorithm, digest);
  }

  async verify(
    name: string,
    version: string | null,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: boolean }> {
    return this.#use.verify(this.#objects.row(name, version), algorithm, digest, signature);
  }

  /** For the timer: does what is due for a key, and tells of it (REQ-340, REQ-341; `TellKeyEvent` says how surely). */
  async runDue(name: string, now: number, tell: TellKeyEvent): Promise<readonly KeyEvent[]> {
    const key = name.toLowerCase();
    if (this.#busy.has(key)) return [];
    this.#busy.add(key);
    try {
      return await this.#doDue(name, now, tell);
    } finally {
      this.#busy.delete(key);
    }
  }

  async #doDue(name: string, now: number, tell: TellKeyEvent): Promise<readonly KeyEvent[]> {
    const row = this.#objects.row(name, null);
    const { fields, object } = row;
    const { dueAt } = object.state;
    if (dueAt === null || dueAt > now) return [];
    const attributes = keyAttributes.read(fields.attributes);
    const { due, next } = dueRotations(policyOf(object.state), lifetimeOf(fields.createdAt, attributes), dueAt, now);
    const { vault } = fields;
    const events = due.flatMap(({ what, time }): KeyEvent[] =>
      what === 'rotate' ? [] : [{ kind: what, vault, name: fields.name, version: fields.version, time }],
    );
    const rotation = attributes.enabled ? due.find(({ what }) => what === 'rotate') : undefined;
    const first = events.filter(({ time }) => rotation === undefined || time < rotation.time);
    for (const event of first) await tell(event);
    if (rotation === undefined || first.length > 0) {
      await this.#context.changes.setState(fields, ({ state }) =>
        // Somebody may have changed the key meanwhile, and then noted another moment.
        state.dueAt === dueAt ? { ...state, dueAt: rotation?.time ?? next } : state,
      );
    }
    if (rotation === undefined) return events;
    const { version } = await this.#rotate(row);
    events.push({ kind: 'KeyNewVersionCreated', vault, name: fields.name, version, time: now });
    for (const event of events.slice(first.length)) await tell(event);
    return events;
  }

  #rotate(row: VersionRow): Promise<KeyVersion> {
    const { operations, tags, kind } = keyAttributes.read(row.fields.attributes);
    const policy = policyOf(row.object.state);
    const expires = policy === undefined ? null : expiryOf(policy, this.#context.now());
    const added = { enabled: true, notBefore: null, expires, tags, operations };
    return this.#addNew(row.fields, shapeOf(infoOf(row)), isHardware(kind), added);
  }

  async #addNew(of: ObjectName, shape: KeyShape, hardware: boolean, added: NewVersion): Promise<KeyVersion> {
    const material = hardware ? await this.#hardware.generate(shape) : await this.#context.work.generate(shape);
    using privateKey = material.privateKey;
    try {
      return await this.#add(of, { ...material, privateKey }, hardware, added);
    } catch (error) {
      if (hardware) await this.#hardware.abandon(privateKey);
      throw error;
    }
  }

  async #add(of: ObjectName, material: KeyMaterial, hardware: boolean, added: NewVersion): Promise<KeyVersion> {
    const { shape, publicKey, privateKey } = material;
    const attributes: KeyAttributes = {
      ...added,
      kind: hardware ? `${shape.kty}-HSM` : shape.kty,
      bits: shape.kty === 'RSA' ? shape.bits : curves[shape.crv].bits,
      publicKey,
      updated: null,
    };
    const text = keyAttributes.write(attributes);
    const now = this.#context.now();
    const row = await this.#context.changes.addVersion(of, {
      attributes: text,
      value: privateKey,
      now,
      state: (before) => this.#withDue(before, { createdAt: now, attributes: text }),
    });
    return infoOf(row);
  }

  #withDue(state: ObjectState, newest: { readonly createdAt: number; readonly attributes: string }): ObjectState {
    const lifetime = lifetimeOf(newest.createdAt, keyAttributes.read(newest.attributes));
    return { ...state, dueAt: firstDue(policyOf(state), lifetime, this.#context.now()) };
  }
}

function infoOf(row: VersionRow): KeyVersion {
  return readKey(row).key;
}

function deletedInfo(row: VersionRow): DeletedKey {
  return { ...infoOf(row), ...deletionOf(row) };
}

function ktyOf({ kind }: Pick<KeyAttributes, 'kind'>): 'RSA' | 'EC' {
  return kind.startsWith('RSA') ? 'RSA' : 'EC';
}

function shapeOf({ publicKey, bits }: KeyVersion): KeyShape {
  return publicKey.kty === 'RSA' ? { kty: 'RSA', bits } : { kty: 'EC', crv: publicKey.crv };
}

function policyOf({ policy }: ObjectState): RotationPolicy | undefined {
  return policy === null ? undefined : (JSON.parse(policy) as RotationPolicy);
}

function lifetimeOf(createdAt: number, { expires }: Pick<KeyAttributes, 'expires'>) {
  return { created: createdAt, expires: expires === null ? null : expires * 1000 };
}
