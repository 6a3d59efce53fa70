/** What the vaults answer, as az prints it: camelCase, times as ISO 8601, and null for what is not there. */

export type Wire = Readonly<Record<string, unknown>>;

export function keyShape(bundle: Wire): object {
  const { key, attributes, tags, managed, release_policy: releasePolicy } = bundle;
  const { kid, kty, key_ops: keyOps, n, e, crv, x, y } = record(key);
  const material =
    kty === 'RSA' || kty === 'RSA-HSM' ? { e: e ?? null, n: n ?? null } : { crv, x: x ?? null, y: y ?? null };
  const bits = typeof n === 'string' ? Buffer.from(n, 'base64url').length * 8 : undefined;
  return {
    attributes: attributesShape(attributes),
    key: { kid, kty, keyOps: keyOps ?? null, ...material, ...(bits === undefined ? {} : { keySize: bits }) },
    managed: managed ?? null,
    ...deletionShape(bundle),
    releasePolicy: releasePolicy ?? null,
    tags: tags ?? null,
  };
}

export function keyItemShape(item: Wire): object {
  const { kid, attributes, tags, managed } = item;
  return {
    attributes: attributesShape(attributes),
    kid,
    managed: managed ?? null,
    name: nameOf(kid),
    ...deletionShape(item),
    tags: tags ?? null,
  };
}

/** @param value text of the secret where it is to be shown */
export function secretShape(bundle: Wire, value?: string): object {
  const { id, attributes, contentType, kid, managed, tags } = bundle;
  return {
    attributes: attributesShape(attributes),
    contentType: contentType ?? null,
    id,
    kid: kid ?? null,
    managed: managed ?? null,
    name: nameOf(id),
    ...deletionShape(bundle),
    tags: tags ?? null,
    ...(value === undefined ? {} : { value }),
  };
}

export function secretItemShape(item: Wire): object {
  const { id, attributes, contentType, managed, tags } = item;
  return {
    attributes: attributesShape(attributes),
    contentType: contentType ?? null,
    id,
    managed: managed ?? null,
    name: nameOf(id),
    ...deletionShape(item),
    tags: tags ?? null,
  };
}

export function policyShape(policy: Wire): object {
  const { id, attributes, lifetimeActions } = policy;
  const { expiryTime, created, updated } = record(attributes);
  const actions = Array.isArray(lifetimeActions) ? (lifetimeActions as unknown[]) : [];
  return {
    createdOn: time(created),
    expiresIn: expiryTime ?? null,
    id: id ?? null,
    lifetimeActions: actions.map((one) => {
      const { action, trigger } = record(one);
      const { timeAfterCreate = null, timeBeforeExpiry = null } = record(trigger);
      return { action: record(action).type ?? null, timeAfterCreate, timeBeforeExpiry };
    }),
    updatedOn: time(updated),
  };
}

function attributesShape(attributes: unknown): object {
  const { enabled, created, updated, exp, nbf, recoveryLevel, recoverableDays, exportable } = record(attributes);
  return {
    created: time(created),
    enabled: enabled ?? null,
    expires: time(exp),
    ...(exportable === undefined ? {} : { exportable }),
    notBefore: time(nbf),
    recoverableDays: recoverableDays ?? null,
    recoveryLevel: recoveryLevel ?? null,
    updated: time(updated),
  };
}

function deletionShape({ deletedDate, recoveryId, scheduledPurgeDate }: Wire): object {
  if (recoveryId === undefined && deletedDate === undefined) return {};
  return { deletedDate: time(deletedDate), recoveryId, scheduledPurgeDate: time(scheduledPurgeDate) };
}

/** Seconds since 1970 as az prints a time: `2026-01-02T03:04:05+00:00`. */
function time(seconds: unknown): string | null {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || Math.abs(seconds) > 8e12) return null;
  return new Date(seconds * 1000).toISOString().replace(/\.\d{3}Z$/, '+00:00');
}

/** `https://HOST/keys/NAME/VERSION` → `NAME`. */
function nameOf(id: unknown): string | null {
  return typeof id === 'string' ? (id.split('/')[4] ?? null) : null;
}

function record(value: unknown): Wire {
  return typeof value === 'object' && value !== null ? (value as Wire) : {};
}
