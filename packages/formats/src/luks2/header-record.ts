import { encodeBase64, KannukiError, SecretBytes } from '@kannuki/core';
import {
  isNumber,
  isObject,
  type JsonObject,
  JsonProblem,
  type JsonValue,
  parseJson,
  printJson,
} from '../json/ordered-json.ts';
import { decodeBase64Bytes, isBase64Byte } from './base64-bytes.ts';
import { headerSizes } from './binary-header.ts';
import type { Luks2HeaderContent } from './header.ts';
import { checkMetadata } from './metadata.ts';
import type { Luks2Metadata } from './model.ts';

/** What a secret of Azure Key Vault can hold, bytes. */
export const headerRecordLimit = 25_000;

/** A volume key as it goes into a record: wrapped by a KEK, or bare where the vault is trusted with it. */
export type RecordedKey =
  | { readonly wrapping: KeyWrapping; readonly value: Uint8Array }
  | { readonly wrapping: null; readonly value: SecretBytes };

export interface KeyWrapping {
  /** As in JSON Web Algorithms, e.g. `RSA-OAEP-256`. */
  readonly algorithm: string;
  /** Versioned id of the key that wrapped. */
  readonly keyId: string;
}

/** What is needed to rebuild a lost LUKS header. */
export interface HeaderRecord
  extends Pick<Luks2HeaderContent, 'headerSize' | 'sequenceId' | 'uuid' | 'label' | 'subsystem'> {
  readonly metadata: Luks2Metadata;
  /** Bytes as they were given; a bare key is disposed by the caller. */
  readonly volumeKey: RecordedKey;
}

const version = '1';
const end = Buffer.from('"}}');

/**
 * A record as bytes, UTF-8 JSON on one line. The key's base64 stands at the end and is joined on as bytes: it never is
 * part of a string.
 * @throws KannukiError KNK-FMT-0107 when it is larger than a vault secret
 */
export function encodeHeaderRecord(header: Luks2HeaderContent, volumeKey: RecordedKey): SecretBytes {
  const { wrapping } = volumeKey;
  const text = (value: string): string => JSON.stringify(value);
  const head = Buffer.from(
    `{"kannukiHeaderRecord":${version},"uuid":${text(header.uuid)},"label":${text(header.label)},` +
      `"subsystem":${text(header.subsystem)},"headerSize":${header.headerSize},` +
      `"sequenceId":"${header.sequenceId}","metadata":${printJson(header.metadata.raw)},"volumeKey":{"wrapping":` +
      `${wrapping === null ? 'null' : `{"algorithm":${text(wrapping.algorithm)},"keyId":${text(wrapping.keyId)}}`},"value":"`,
  );
  using key = encodeBase64(volumeKey.wrapping === null ? volumeKey.value : SecretBytes.take(volumeKey.value));
  const bytes = head.length + key.length + end.length;
  if (bytes > headerRecordLimit) {
    throw new KannukiError('KNK-FMT-0107', { details: { bytes, limit: headerRecordLimit } });
  }
  const record = new Uint8Array(bytes);
  record.set(head);
  record.set(key.bytes, head.length);
  record.set(end, head.length + key.length);
  return SecretBytes.take(record);
}

/**
 * The opposite, for bytes from a vault, which may be anything.
 * @throws KannukiError KNK-FMT-0106 with what is wrong
 */
export function decodeHeaderRecord(record: SecretBytes): HeaderRecord {
  try {
    return decode(record.bytes);
  } catch (error) {
    if (error instanceof JsonProblem) return invalid(error.message);
    throw error;
  }
}

function decode(bytes: Uint8Array): HeaderRecord {
  if (bytes.length > headerRecordLimit) return invalid(`more than ${headerRecordLimit} bytes`);
  const keyEnd = bytes.length - end.length;
  if (keyEnd < 0 || !end.equals(bytes.subarray(keyEnd))) return invalid('it does not end with the volume key');
  let keyStart = keyEnd;
  while (isBase64Byte(bytes[keyStart - 1])) keyStart -= 1;

  const json = parseWithoutKey(Buffer.concat([bytes.subarray(0, keyStart), end]));
  const number = json.get('kannukiHeaderRecord');
  if (!isNumber(number) || number.digits !== version) return invalid('unknown version');
  const headerSize = headerSizes.find((size) => printJson(json.get('headerSize') ?? null) === String(size));
  if (headerSize === undefined) return invalid('headerSize');
  const sequenceId = text(json, 'sequenceId');
  if (!/^\d{1,20}$/.test(sequenceId)) return invalid('sequenceId');
  const key = object(json.get('volumeKey'), 'volumeKey');
  if (text(key, 'value') !== '') return invalid('the volume key is not at the end');
  return {
    headerSize,
    sequenceId: BigInt(sequenceId),
    uuid: text(json, 'uuid'),
    label: text(json, 'label'),
    subsystem: text(json, 'subsystem'),
    metadata: checkMetadata(object(json.get('metadata'), 'metadata'), headerSize),
    volumeKey: readKey(key.get('wrapping'), bytes.subarray(keyStart, keyEnd)),
  };
}

function parseWithoutKey(bytes: Uint8Array): JsonObject {
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return invalid('not UTF-8');
  }
  return object(parseJson(json), 'it');
}

function readKey(wrapping: JsonValue | undefined, encoded: Uint8Array): RecordedKey {
  const value = decodeBase64Bytes(encoded);
  if (value === undefined || value.length === 0) return invalid('volumeKey.value');
  if (wrapping === null) return { wrapping: null, value: SecretBytes.take(value) };
  const json = object(wrapping, 'volumeKey.wrapping');
  return { wrapping: { algorithm: text(json, 'algorithm'), keyId: text(json, 'keyId') }, value };
}

function object(value: JsonValue | undefined, where: string): JsonObject {
  return isObject(value) ? value : invalid(`${where} is not an object`);
}

function text(json: JsonObject, name: string): string {
  const value = json.get(name);
  return typeof value === 'string' ? value : invalid(name);
}

function invalid(detail: string): never {
  throw new KannukiError('KNK-FMT-0106', { details: { detail } });
}
