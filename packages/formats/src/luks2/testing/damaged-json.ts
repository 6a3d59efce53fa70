import type { DamagedHeader } from './damaged-headers.ts';
import { edited, headerWithJson, looseJson } from './edit-header.ts';

const jsonAreaBytes = 16384 - 4096;

/** Whole copies, right checksums, and a text in both that is no header's JSON. */
export function damagedTexts(good: Uint8Array): readonly DamagedHeader[] {
  const json = JSON.stringify(looseJson(good));
  const deep = (open: string, close: string): string => `{"x":${open.repeat(5000)}${close.repeat(5000)}}`;
  const texts: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['empty', '', /does not begin/],
    ['a blank before', ` ${json}`, /does not begin/],
    ['an array', '[]', /does not begin/],
    ['an empty object', '{}', /config is missing/],
    ['half of it', json.slice(0, json.length / 2), /expected|without end/],
    ['text behind it', `${json}x`, /text after the end/],
    ['zero and text behind it', `${json}\0x`, /behind the end/],
    ['no terminating zero', json.padEnd(jsonAreaBytes), /no terminating zero/],
    ['deep arrays', deep('[', ']'), /nested/],
    ['deep objects', `{"x":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`, /nested/],
    ['deep and never closed', `{"x":${'['.repeat(12000)}`, /nested/],
    ['a name twice', json.replace('{"keyslots"', '{"tokens":{},"keyslots"'), /comes twice/],
    ['a comment', json.replace('{', '{/* */'), /string is expected/],
    ['a comma too many', json.replace(/}$/, ',}'), /string is expected/],
    ['a number that JSON does not have', json.replace('"key_size":64', '"key_size":0x40'), /expected/],
    ['NaN', json.replace('"key_size":64', '"key_size":NaN'), /value is expected/],
    ['a raw newline in a string', json.replace('"luks2"', '"lu\nks2"'), /string with a character/],
    ['a bad escape', json.replace('"luks2"', '"\\x6c"'), /string with a character/],
    ['bytes that are no UTF-8', Buffer.from(json.replace('luks2', 'luk\xff2'), 'latin1'), /UTF-8/],
    ['a byte order mark', `\ufeff${json}`, /does not begin/],
  ];
  return texts.map(([name, text, problem]) => ({
    name: `JSON: ${name}`,
    bytes: headerWithJson(good, text),
    verdict: 'KNK-FMT-0102',
    problem,
  }));
}

/** Good JSON that describes no possible header. */
export function damagedStructures(good: Uint8Array): readonly DamagedHeader[] {
  type Change = Parameters<typeof edited>[1];
  const many = (count: number, value: unknown): object =>
    Object.fromEntries(Array.from({ length: count }, (_, id) => [String(id), value]));
  const token = { type: 't', keyslots: [] };
  const changes: readonly (readonly [string, Change, RegExp])[] = [
    [
      'no segments',
      (json) => {
        json.segments = {};
      },
      /names|no segments/,
    ],
    [
      'segments in an array',
      (json) => {
        json.segments = [json.segments['0']];
      },
      /not an object/,
    ],
    [
      'a segment missing in between',
      (json) => {
        json.segments['7'] = json.segments['0'];
      },
      /is missing/,
    ],
    [
      '33 tokens',
      (json) => {
        json.tokens = many(33, token);
      },
      /more than 32/,
    ],
    [
      '33 key slots',
      (json) => {
        json.keyslots = many(33, json.keyslots['0']);
      },
      /more than 32/,
    ],
    [
      '33 segments',
      (json) => {
        json.segments = many(33, json.segments['0']);
      },
      /more than 32/,
    ],
    [
      '9 digests',
      (json) => {
        json.digests = many(9, json.digests['0']);
      },
      /more than 8/,
    ],
    [
      'key slot number -1',
      (json) => {
        json.keyslots['-1'] = json.keyslots['0'];
      },
      /not a valid number/,
    ],
    [
      'key slot number 01',
      (json) => {
        json.keyslots['01'] = json.keyslots['0'];
      },
      /not a valid number/,
    ],
    [
      'key slot number __proto__',
      (json) => {
        Object.defineProperty(json.keyslots, '__proto__', { value: {}, enumerable: true });
      },
      /not a valid number/,
    ],
    [
      'a negative offset',
      (json) => {
        json.segments['0'].offset = '-1';
      },
      /decimal string/,
    ],
    [
      'an offset as a number',
      (json) => {
        json.segments['0'].offset = 0;
      },
      /decimal string/,
    ],
    [
      'an offset of 2^64',
      (json) => {
        json.segments['0'].offset = '18446744073709551616';
      },
      /64 bits/,
    ],
    [
      'an offset of 100 digits',
      (json) => {
        json.segments['0'].offset = '9'.repeat(100);
      },
      /decimal string/,
    ],
    [
      'an offset with a sign',
      (json) => {
        json.segments['0'].offset = '+1';
      },
      /decimal string/,
    ],
    [
      'a hexadecimal size',
      (json) => {
        json.segments['0'].size = '0x10';
      },
      /decimal string/,
    ],
    [
      'sectors of 4095 bytes',
      (json) => {
        json.segments['2'].sector_size = 4095;
      },
      /sector size/,
    ],
    [
      'no cipher',
      (json) => {
        delete json.segments['2'].encryption;
      },
      /encryption is missing/,
    ],
    [
      'a key of no bytes',
      (json) => {
        json.keyslots['0'].key_size = 0;
      },
      /positive/,
    ],
    [
      'a key of -64 bytes',
      (json) => {
        json.keyslots['0'].key_size = -64;
      },
      /positive/,
    ],
    [
      'a key of 1e9 bytes',
      (json) => {
        json.keyslots['0'].key_size = '1e9';
      },
      /positive/,
    ],
    [
      'half a stripe',
      (json) => {
        json.keyslots['0'].af.stripes = 0.5;
      },
      /positive/,
    ],
    [
      'another split',
      (json) => {
        json.keyslots['0'].af.type = 'luks3';
      },
      /none of/,
    ],
    [
      'another key derivation',
      (json) => {
        json.keyslots['0'].kdf.type = 'scrypt';
      },
      /none of/,
    ],
    [
      'a salt that is no base64',
      (json) => {
        json.keyslots['0'].kdf.salt = '***';
      },
      /base64/,
    ],
    [
      'an area in the header',
      (json) => {
        json.keyslots['0'].area.offset = '4096';
      },
      /overlaps/,
    ],
    [
      'an area behind the end',
      (json) => {
        json.keyslots['0'].area.offset = '17000000';
      },
      /behind the end/,
    ],
    [
      'an area of 2^64-1 bytes',
      (json) => {
        json.keyslots['0'].area.size = '18446744073709551615';
      },
      /behind|overlaps/,
    ],
    [
      'areas over each other',
      (json) => {
        json.keyslots['31'] = json.keyslots['0'];
      },
      /overlaps/,
    ],
    [
      'a digest of a key slot that is not there',
      (json) => {
        json.digests['0'].keyslots = ['9'];
      },
      /does not exist/,
    ],
    [
      'a digest of a segment that is not there',
      (json) => {
        json.digests['0'].segments = ['9'];
      },
      /does not exist/,
    ],
    [
      'a token of a key slot that is not there',
      (json) => {
        json.tokens['0'] = { type: 't', keyslots: ['9'] };
      },
      /does not exist/,
    ],
    [
      'another size of the JSON',
      (json) => {
        json.config.json_size = '4096';
      },
      /json_size/,
    ],
    [
      'key slots of 1 TiB',
      (json) => {
        json.config.keyslots_size = '1099511627776';
      },
      /128 MiB/,
    ],
    [
      'key slots of odd size',
      (json) => {
        json.config.keyslots_size = '16744449';
      },
      /4096/,
    ],
    [
      'no config',
      (json) => {
        delete json.config;
      },
      /config is missing/,
    ],
    [
      'requirements of numbers',
      (json) => {
        json.config.requirements = { mandatory: [1] };
      },
      /not a string/,
    ],
    [
      'another mode',
      (json) => {
        slot(json).mode = 'shred';
      },
      /none of/,
    ],
    [
      'another direction',
      (json) => {
        slot(json).direction = 'sideways';
      },
      /none of/,
    ],
  ];
  return changes.map(([name, change, problem]) => ({
    name: `structure: ${name}`,
    bytes: edited(good, change),
    verdict: 'KNK-FMT-0102',
    problem,
  }));
}

function slot(json: { readonly keyslots: Readonly<Record<string, { mode: string; direction: string }>> }): {
  mode: string;
  direction: string;
} {
  const found = json.keyslots['1'];
  if (found === undefined) throw new Error('the header to damage has a reencryption key slot 1');
  return found;
}
