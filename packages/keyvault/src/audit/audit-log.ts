import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, syncDirectory } from '@kannuki/core';
import type { AuditPort, AuditRecord } from '../service/audit-port.ts';
import { type Anchor, type AnchorStore, openAnchor, sealAnchor } from './anchor.ts';
import type { ChainKey } from './chain-key.ts';
import { cutBehind, type FoundEnd, findEnd, maximumBatchBytes } from './find-end.ts';
import { type AuditEntry, bounded, ownOperations, writeLine } from './line.ts';
import { type AuditQuery, readAudit } from './read.ts';
import { segmentName } from './segments.ts';
import { type AuditVerification, verifyAudit } from './verify.ts';

export interface OpenAuditLogOptions {
  /** Made where it is missing, mode 0700. One process at a time: the lock of the vault's database sees to that. */
  readonly folder: string;
  /** Taken over: wiped by `close`, also when opening fails. */
  readonly chainKey: ChainKey;
  /** In another folder than the log. */
  readonly anchors: AnchorStore;
  /** A new segment begins behind so many bytes. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** How many records may wait before more are refused. Default 10,000 (some 10 MB at the most). */
  readonly pendingLimit?: number;
  /** Milliseconds since 1970: names the day, and a new day has a new segment. */
  readonly now?: () => number;
}

interface Waiting {
  readonly record: AuditRecord;
  readonly resolve: () => void;
  readonly reject: (error: KannukiError) => void;
}

const anchorMilliseconds = 1000;
const retryMilliseconds = 1000;
/** So that making their MACs does not hold the event loop up for long. */
const recordsPerBatch = 512;
/** The more called at once a moment ago, the more it saves to wait for the next ones. */
const gatherMilliseconds = (records: number): number => (records < 8 ? 1 : 4);
/** A write that returns is on stable storage, in one call of the thread pool and not in two (open(2), O_DSYNC). */
const lineFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_DSYNC;
const dayMilliseconds = 86_400_000;

/**
 * The audit log: lines of JSON in segments, appended to and never changed, each chained to the one before by its SHA-256
 * (`previous`, which anybody can check) and by an HMAC (`mac`, which only the holder of the root key can make).
 *
 * Records that come while a batch is written go into the next: one synchronous write for all of them, off the event
 * loop. When a batch cannot be written, all of it is refused, and nothing is taken until the rest of it is cut off again;
 * that is tried with the next record, at most once a second.
 *
 * The anchor keeps, once a second and at the end, how far the log went. So of a log whose tail was cut off, what can be
 * missing unseen is what was written after the last anchor: the last second before a kill or power cut (and the time that
 * writing an anchor takes), nothing after an orderly end. An attacker who can also put an older anchor back in its place
 * can cut off more; only copies on another machine show that.
 */
export class AuditLog implements AuditPort, AsyncDisposable {
  readonly folder: string;
  /** KNK-AUD-0004 where the log was found broken when it was opened: for the operator to know. */
  readonly damage: KannukiError | undefined;
  readonly #options: OpenAuditLogOptions;
  readonly #waiting: Waiting[] = [];
  #file: FileHandle | undefined;
  /** The last line that is on stable storage. */
  #end: Anchor;
  /** Where the next batch goes: behind the end, or at the beginning of a segment. */
  #place: Pick<Anchor, 'segment' | 'offset'>;
  /** Of the segment: days since 1970. */
  #day = Number.POSITIVE_INFINITY;
  #working: Promise<void> | undefined;
  #failure: KannukiError | undefined;
  #failedAt = 0;
  /** What the log has to say about itself before it takes anything else. */
  #ownRecords: AuditRecord[] = [];
  /** Sequence number that the anchor has. */
  #anchored = -1;
  #anchoredAt = Number.NEGATIVE_INFINITY;
  #anchorTimer: NodeJS.Timeout | undefined;
  #anchoring: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: OpenAuditLogOptions, { end, ...found }: FoundEnd) {
    this.folder = options.folder;
    if ('why' in found) {
      this.damage = new KannukiError('KNK-AUD-0004', { details: { folder: options.folder, why: found.why } });
    }
    this.#options = options;
    this.#end = end;
    this.#place = end;
  }

  /**
   * Opens a log, or begins one. What a crash has left of a batch that nobody was told of is moved to a `.torn` file and
   * recorded (`AuditLogTorn`). A log that was cut, changed or exchanged behind its anchor's back is left as it is, and a
   * new chain begins with a record of that (`AuditLogBroken`), which `verifyAudit` reports for ever: a server that would
   * not start would hold up the boots of VMs, and one that went on in silence would help whoever did it.
   * @throws KannukiError KNK-AUD-0001, 0003
   */
  static async open(options: OpenAuditLogOptions): Promise<AuditLog> {
    const { folder, chainKey, anchors } = options;
    let log: AuditLog | undefined;
    try {
      await makeDirectoryDurably(folder, 0o700);
      const text = await anchors.read();
      const found = await findEnd(folder, chainKey, text === null ? null : (openAnchor(text, chainKey) ?? 'damaged'));
      log = new AuditLog(options, found);
      if (found.kind === 'broken') log.#say(ownOperations.broken, found.why);
      else log.#noteCut(await cutBehind(folder, found.end, true));
      log.#day = await dayOf(log.#path(found.end.segment));
      if (log.#ownRecords.length > 0) await log.#writeBatch([]);
      if (text === sealAnchor(log.#end, chainKey)) log.#anchored = log.#end.sequence;
      else await log.#anchorNow();
      return log;
    } catch (error) {
      if (log !== undefined) await log.#file?.close();
      chainKey[Symbol.dispose]();
      throw error instanceof KannukiError ? error : unwritable(folder, error);
    }
  }

  /** Where the log ends now: stands in the place of the anchor while it is open. */
  get end(): Anchor {
    return this.#end;
  }

  /** Everything that is on stable storage now. @throws KannukiError KNK-AUD-0003 */
  verify(): Promise<AuditVerification> {
    return verifyAudit(this.folder, this.#options.chainKey, this.#options.anchors, this.#end);
  }

  /** @throws KannukiError KNK-AUD-0003 */
  read(query: Omit<AuditQuery, 'until'>): Promise<readonly AuditEntry[]> {
    return readAudit(this.folder, { ...query, until: this.#end });
  }

  /** @throws KannukiError KNK-AUD-0001 not written; 0002 too many wait */
  append(record: AuditRecord): Promise<void> {
    if (this.#closed) return Promise.reject(unwritable(this.folder, { code: 'closed' }));
    const { pendingLimit = 10_000 } = this.#options;
    if (this.#waiting.length >= pendingLimit) {
      return Promise.reject(new KannukiError('KNK-AUD-0002', { details: { count: pendingLimit } }));
    }
    if (this.#failure !== undefined && performance.now() - this.#failedAt < retryMilliseconds) {
      return Promise.reject(this.#failure);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ record: bounded(record), resolve, reject });
    this.#working ??= this.#work();
    return promise;
  }

  /** Writes what waits, leaves the anchor at the end and wipes the key. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#working;
    clearTimeout(this.#anchorTimer);
    await this.#anchoring;
    try {
      if (this.#failure === undefined && this.#anchored !== this.#end.sequence) await this.#anchorNow();
    } finally {
      await this.#file?.close();
      this.#options.chainKey[Symbol.dispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One batch after the other, until none waits. Never throws. */
  async #work(): Promise<void> {
    // What comes in the same turn of the event loop goes into the same batch.
    await new Promise((resolve) => setImmediate(resolve));
    let last = 0;
    while (this.#waiting.length > 0) {
      // Where many call at once, those of the next moment come along: to write costs as much for one as for twenty.
      if (last > 1) await new Promise((resolve) => setTimeout(resolve, gatherMilliseconds(last)));
      const batch = this.#waiting.splice(0, recordsPerBatch);
      last = batch.length;
      try {
        if (this.#failure !== undefined) await this.#recover();
        await this.#writeBatch(batch);
        for (const { resolve } of batch) resolve();
        this.#anchorSoon();
      } catch (error) {
        const failure = this.#fail(error);
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(failure);
      }
    }
    this.#working = undefined;
  }

  async #writeBatch(batch: Waiting[]): Promise<void> {
    await this.#openFor();
    const lines: Buffer[] = [];
    let link: Pick<Anchor, 'sequence' | 'hash' | 'mac'> = this.#end;
    let size = 0;
    const own = this.#ownRecords.length;
    for (const record of [...this.#ownRecords, ...batch.map((waiting) => waiting.record)]) {
      const written = writeLine(record, link, this.#options.chainKey);
      // The rest goes into the next batch, at the head of what waits.
      if (size + written.line.length > maximumBatchBytes) break;
      lines.push(written.line);
      size += written.line.length;
      ({ link } = written);
    }
    this.#waiting.unshift(...batch.splice(lines.length - own));
    await this.#writeAll(Buffer.concat(lines, size));
    const { segment, offset } = this.#place;
    this.#end = { sequence: link.sequence, hash: link.hash, mac: link.mac, segment, offset: offset + size };
    this.#place = this.#end;
    this.#ownRecords = [];
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new Error('the audit log has no file');
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, this.#place.offset + done);
      if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
      done += bytesWritten;
    }
  }

  /** The segment that the next batch goes into: the current one, or a new one when that is full or of another day. */
  async #openFor(): Promise<void> {
    const { segmentBytes = 64 * 1024 * 1024 } = this.#options;
    const today = this.#today();
    if (this.#place.offset > 0 && (this.#place.offset >= segmentBytes || today > this.#day)) {
      await this.#file?.close();
      this.#file = undefined;
      const next = this.#place.segment + 1;
      this.#file = await open(this.#path(next), lineFlags | constants.O_EXCL, 0o600);
      await syncDirectory(this.folder);
      this.#place = { segment: next, offset: 0 };
    }
    if (this.#place.offset === 0) this.#day = today;
    if (this.#file !== undefined) return;
    this.#file = await open(this.#path(this.#place.segment), lineFlags | constants.O_NOFOLLOW, 0o600);
    await syncDirectory(this.folder);
  }

  /** Nothing of a batch that was refused stays behind: its records were never said to be there. */
  async #recover(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    this.#place = this.#end;
    this.#noteCut(await cutBehind(this.folder, this.#end, false));
    await this.#anchorNow();
    this.#failure = undefined;
  }

  #noteCut(bytes: number): void {
    if (bytes > 0 && this.#ownRecords.length === 0) this.#say(ownOperations.torn, `${bytes} bytes were cut off`);
  }

  #say(operation: string, error: string): void {
    const own = { objectId: 'server:audit', applicationId: null, address: 'local', vault: '', object: null };
    const record = { ...own, operation, error, status: 500, time: this.#now(), requestId: randomUUID() };
    this.#ownRecords.push(bounded(record));
  }

  #fail(error: unknown): KannukiError {
    const failure = error instanceof KannukiError ? error : unwritable(this.#path(this.#end.segment), error);
    this.#failure = failure;
    this.#failedAt = performance.now();
    return failure;
  }

  #anchorSoon(): void {
    if (this.#anchorTimer !== undefined || this.#closed) return;
    const wait = Math.max(0, this.#anchoredAt + anchorMilliseconds - performance.now());
    this.#anchorTimer = setTimeout(() => {
      void this.#anchorNow()
        .catch((error: unknown) => void this.#fail(error))
        .finally(() => {
          this.#anchorTimer = undefined;
          if (this.#anchored !== this.#end.sequence && this.#failure === undefined) this.#anchorSoon();
        });
    }, wait);
    this.#anchorTimer.unref();
  }

  /** One after the other: an older anchor must not come last. */
  #anchorNow(): Promise<void> {
    const writing = this.#anchoring.then(async () => {
      const end = this.#end;
      await this.#options.anchors.write(sealAnchor(end, this.#options.chainKey));
      this.#anchored = end.sequence;
      this.#anchoredAt = performance.now();
    });
    this.#anchoring = writing.catch(() => undefined);
    return writing;
  }

  #path(segment: number): string {
    return join(this.folder, segmentName(segment));
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #today(): number {
    return Math.floor(this.#now() / dayMilliseconds);
  }
}

/** The day of a segment that was there before; a new one gets its day with its first batch. */
async function dayOf(path: string): Promise<number> {
  const status = await stat(path).catch(() => undefined);
  return status === undefined ? Number.POSITIVE_INFINITY : Math.floor(status.mtimeMs / dayMilliseconds);
}

function unwritable(file: string, error: unknown): KannukiError {
  const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new KannukiError('KNK-AUD-0001', { details: { file, reason }, cause: error });
}
