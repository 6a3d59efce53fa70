import { isArray, isObject, type JsonObject, type JsonValue, printJson } from '../json/ordered-json.ts';
import { type Area, digestsOfSegment, type Luks2Metadata, liveSegments, segmentWithFlag } from './model.ts';

/**
 * The metadata as cryptsetup writes it at the very end of an encryption, a decryption or a change of the volume key
 * (reencrypt_teardown_ok in lib/luks2/luks2_reencrypt.c). Unknown members are kept.
 * @param slotId of the reencryption key slot
 * @returns the JSON as UTF-8, and the areas of the key slots that are gone
 */
export function rewriteFinished(
  metadata: Luks2Metadata,
  slotId: number,
): { readonly json: Uint8Array; readonly dropped: readonly Area[] } {
  const goneSlots = new Set([slotId, ...keyslotsOfOldKey(metadata)]);
  const liveIds = new Set(liveSegments(metadata).map(([id]) => id));
  const { raw } = metadata;
  const json = new Map(raw);
  json.set(
    'keyslots',
    filtered(raw, 'keyslots', (id) => !goneSlots.has(id)),
  );
  json.set(
    'segments',
    filtered(raw, 'segments', (id) => liveIds.has(id)),
  );
  json.set(
    'tokens',
    changed(raw, 'tokens', (token) => withIds(token, 'keyslots', (id) => !goneSlots.has(id))),
  );
  json.set(
    'digests',
    changed(raw, 'digests', (digest) => {
      const left = withIds(
        withIds(digest, 'keyslots', (id) => !goneSlots.has(id)),
        'segments',
        (id) => liveIds.has(id),
      );
      return isEmpty(left.get('keyslots')) && isEmpty(left.get('segments')) ? undefined : left;
    }),
  );
  json.set('config', withoutRequirements(raw.get('config')));
  const areas = [...goneSlots].map((id) => metadata.keyslots.get(id)?.area);
  return {
    json: Buffer.from(printJson(json), 'utf8'),
    dropped: areas.filter((area) => area !== undefined && area !== null),
  };
}

/** A change of the volume key ends with the removal of every slot that holds the old one, and so does a decryption. */
function keyslotsOfOldKey(metadata: Luks2Metadata): readonly number[] {
  const digestsNear = (flag: string): readonly number[] => {
    const segment = segmentWithFlag(metadata, flag);
    return segment === undefined ? [] : digestsOfSegment(metadata, segment[0]);
  };
  const kept = digestsNear('backup-final');
  return digestsNear('backup-previous')
    .filter((id) => !kept.includes(id))
    .flatMap((id) => metadata.digests.get(id)?.keyslots ?? []);
}

export function filtered(root: JsonObject, name: string, keep: (id: number) => boolean): JsonObject {
  return new Map([...members(root, name)].filter(([id]) => keep(Number(id))));
}

export function changed(
  root: JsonObject,
  name: string,
  change: (value: JsonObject) => JsonObject | undefined,
): ReadonlyMap<string, JsonValue> {
  const result = new Map<string, JsonValue>();
  for (const [id, value] of members(root, name)) {
    const next = isObject(value) ? change(value) : value;
    if (next !== undefined) result.set(id, next);
  }
  return result;
}

function members(root: JsonObject, name: string): JsonObject {
  const found = root.get(name);
  return isObject(found) ? found : new Map();
}

export function withIds(value: JsonObject, name: string, keep: (id: number) => boolean): JsonObject {
  const list = value.get(name);
  return isArray(list)
    ? new Map(value).set(
        name,
        list.filter((id) => keep(Number(id))),
      )
    : value;
}

function withoutRequirements(config: JsonValue | undefined): JsonValue {
  if (!isObject(config)) return new Map();
  return new Map([...config].filter(([name]) => name !== 'requirements'));
}

export function isEmpty(list: JsonValue | undefined): boolean {
  return isArray(list) && list.length === 0;
}
