import { type ErrorCode, KannukiError } from '@kannuki/core';

/** An answer that is a refusal, in Azure's shape (REQ-323). Never leaves the data plane as an exception. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly inner: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Set where something is wrong with us: for the operator, not for the client. */
  readonly failure: unknown;

  constructor(
    status: number,
    code: string,
    message: string,
    extra: { inner?: string; headers?: Readonly<Record<string, string>>; failure?: unknown } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = extra.inner ?? null;
    this.headers = extra.headers ?? {};
    this.failure = extra.failure;
  }

  body(): object {
    const inner = this.inner === null ? {} : { innererror: { code: this.inner } };
    return { error: { code: this.code, message: this.message, ...inner } };
  }
}

/** @param member names what is wrong; never quotes what was sent */
export function badParameter(member: string, reason: string): Refusal {
  return new Refusal(400, 'BadParameter', `Property ${member} has invalid value: ${reason}.`);
}

/** What a call was about, as far as it is known. */
export interface Subject {
  readonly collection: 'keys' | 'secrets';
  readonly isDeleted: boolean;
  readonly name: string | null;
  readonly version: string | null;
  /** As Azure's texts name the operation: `get`, `wrapKey`. */
  readonly verb: string;
}

export function notFound({ collection, isDeleted, name, version }: Subject): Refusal {
  const [code, kind] = collection === 'keys' ? ['KeyNotFound', 'key'] : ['SecretNotFound', 'secret'];
  const id = version === null ? name : `${name}/${version}`;
  const message = isDeleted
    ? `Deleted ${kind === 'key' ? 'Key' : 'Secret'} not found: ${name}`
    : `A ${kind} with (name/id) ${id} was not found in this key vault. If you recently deleted this ${kind} you may be able to recover it using the correct recovery command.`;
  return new Refusal(404, code, message);
}

/** Turns whatever a call threw into an answer; what is not ours to show becomes a bare 500. */
export function refusalOf(error: unknown, subject: Subject | null): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof KannukiError) || subject === null) return internal(error);
  return fromDomain.get(error.code)?.(subject, error) ?? internal(error);
}

export function internal(failure: unknown): Refusal {
  return new Refusal(500, 'InternalServerError', 'An internal error occurred; see the log of the server.', { failure });
}

type Translation = (subject: Subject, error: KannukiError) => Refusal;

const described: Translation = (_subject, error) => new Refusal(400, 'BadParameter', `${error.describe('en')}.`);

const unavailable: Translation = (_subject, error) => unavailableNow(error);

export function unavailableNow(error: KannukiError): Refusal {
  return new Refusal(503, 'ServiceUnavailable', 'The service is temporarily unavailable; retry later.', {
    headers: { 'retry-after': '10' },
    failure: error,
  });
}

/** What `VaultObjects` rejects with, as Azure says it. */
const fromDomain = new Map<ErrorCode, Translation>([
  ['KNK-KVT-0003', notFound],
  [
    'KNK-KVT-0004',
    (subject) =>
      forbidden(
        `Operation ${subject.verb} is not allowed on a disabled ${kindOf(subject)}.`,
        subject.collection === 'keys' ? 'KeyDisabled' : 'SecretDisabled',
      ),
  ],
  ['KNK-KVT-0007', described],
  ['KNK-KVT-0008', described],
  ['KNK-KVT-0022', described],
  ['KNK-KVT-0026', described],
  ['KNK-KVT-0029', described],
  [
    // One text for all: which of key, algorithm and ciphertext was wrong is nobody's to learn (padding oracles).
    'KNK-KVT-0018',
    (subject) =>
      new Refusal(400, 'BadParameter', `The ${kindOf(subject)} cannot ${subject.verb} this value with this algorithm.`),
  ],
  ['KNK-KVT-0021', conflict],
  [
    'KNK-KVT-0023',
    (subject) =>
      forbidden(`Operation ${subject.verb} is not permitted on this ${kindOf(subject)}.`, 'KeyOperationForbidden'),
  ],
  ['KNK-KVT-0024', outsideValidity],
  [
    'KNK-KVT-0025',
    () =>
      forbidden(
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.',
        'ForbiddenByPolicy',
      ),
  ],
  [
    'KNK-KVT-0028',
    () => new Refusal(429, 'Throttled', 'Too many calls wait already.', { headers: { 'retry-after': '1' } }),
  ],
  ['KNK-KVT-0042', unavailable],
  ['KNK-KVT-0009', unavailable],
  ['KNK-KVT-0020', unavailable],
  ['KNK-KVT-0027', unavailable],
  ['KNK-KVT-0042', unavailable],
]);

function forbidden(message: string, inner: string): Refusal {
  return new Refusal(403, 'Forbidden', message, { inner });
}

function outsideValidity(subject: Subject, error: KannukiError): Refusal {
  const kind = kindOf(subject);
  return /expire/i.test(reasonOf(error))
    ? forbidden(`Operation ${subject.verb} is not allowed on an expired ${kind}.`, 'KeyExpired')
    : forbidden(`Operation ${subject.verb} is not allowed on a ${kind} that is not yet valid.`, 'KeyNotYetValid');
}

function conflict(subject: Subject, error: KannukiError): Refusal {
  const kind = kindOf(subject);
  // A restore learns the name from the backup only.
  const name = subject.name ?? String(error.details.object ?? '').split('/')[1] ?? '';
  const title = `${kind === 'key' ? 'Key' : 'Secret'} ${name}`;
  if (!/delet/i.test(reasonOf(error))) return new Refusal(409, 'Conflict', `${title} already exists.`);
  return new Refusal(
    409,
    'Conflict',
    `${title} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the ${kind} can only be recovered or purged.`,
    { inner: 'ObjectIsDeletedButRecoverable' },
  );
}

function kindOf(subject: Subject): 'key' | 'secret' {
  return subject.collection === 'keys' ? 'key' : 'secret';
}

function reasonOf(error: KannukiError): string {
  return String(error.details.reason ?? '');
}
