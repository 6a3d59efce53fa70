import type { WorkerGroup, WorkerReply, WorkerTask } from './worker-source.ts';

const kinds = { rsaDecrypt: 0, rsaSign: 1, ecVerify: 2 } as const;
const hashes = { sha1: 1, sha256: 2 } as const;

/** Tasks as one message of few objects; see `WorkerGroup`. */
export function packGroup(
  group: readonly { readonly task: WorkerTask; readonly key?: { readonly number: number } }[],
): Omit<WorkerGroup, 'fresh'> {
  const heads: number[] = [];
  const pieces: Uint8Array[] = [];
  const checks: WorkerGroup['checks'][number][] = [];
  for (const { task, key } of group) {
    if (task.kind === 'ecVerify') {
      heads.push(kinds.ecVerify, 0, 0, 0, checks.push(task.check) - 1);
      continue;
    }
    const hash = task.oaepHash === undefined ? 0 : hashes[task.oaepHash];
    heads.push(kinds[task.kind], key?.number ?? 0, task.padding, hash, task.data.length);
    pieces.push(task.data);
  }
  return { heads: Int32Array.from(heads), data: joined(pieces), checks };
}

/** The values, each of memory of its own; the packed ones are wiped. */
export function unpackReply({
  lengths,
  data,
}: WorkerReply): readonly (Uint8Array<ArrayBuffer> | boolean | undefined)[] {
  let at = 0;
  const values = Array.from(lengths, (length) => {
    if (length < 0) return length === -1 ? undefined : length === -3;
    const value = data.slice(at, at + length);
    at += length;
    return value;
  });
  data.fill(0);
  return values;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
