import { hasCode } from '@kannuki/core';
import type { AccessControl, Caller, VaultSettings } from '../service/access.ts';
import type { DataAction } from '../service/actions.ts';
import type { AuditPort } from '../service/audit-port.ts';
import type { DataPlanePort, DataPlaneReply, DataPlaneRequest } from '../service/data-plane-call.ts';
import type { VaultObjects } from '../service/vault-objects.ts';
import { type Answer, type Call, isVersion } from './call.ts';
import { chargeFor } from './charge.ts';
import { encodeJson } from './json-value/encode.ts';
import { type ParsedJson, parseJson } from './json-value/parse.ts';
import { type ParsedPath, type ParsedQuery, parsePath, parseQuery, unknownPath } from './path.ts';
import { internal, Refusal, refusalOf, type Subject, unavailableNow } from './refusal.ts';
import { bodyLimit, type Route, routesAt } from './routes.ts';
import { Throttle, type ThrottleLimits } from './throttle.ts';

export interface DataPlaneOptions {
  readonly objects: (vaultName: string) => VaultObjects;
  readonly access: AccessControl;
  readonly audit: AuditPort;
  /** Null: no call is ever refused for being one too many. */
  readonly throttle?: ThrottleLimits | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What is known of a request so far, for its audit record: filled in on the way, so that a refusal has it too. */
interface Trace {
  operation: string;
  vault: string;
  subject: Subject | null;
}

interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly error: string | null;
  readonly used: Answer['used'];
  readonly failure: unknown;
}

const longestVaultName = 127;
const jsonType = { 'content-type': 'application/json; charset=utf-8' };

/**
 * Azure Key Vault's data plane (REQ-321 to REQ-349, REQ-367 to REQ-369) without HTTP. Each call goes through the same
 * checks in the same order: path, vault, network, permission, rate; only then is the object looked for, so that who may
 * not see it cannot tell whether it is there. The audit record is durable before the answer leaves, or the answer does
 * not leave.
 */
export class DataPlane implements DataPlanePort {
  readonly #options: DataPlaneOptions;
  readonly #throttle: Throttle | null;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#throttle = options.throttle ? new Throttle(options.throttle, options.now) : null;
  }

  async handle(request: DataPlaneRequest): Promise<DataPlaneReply> {
    const trace: Trace = {
      operation: 'Unknown',
      vault: request.vaultName.slice(0, longestVaultName),
      subject: null,
    };
    let outcome: Outcome;
    try {
      outcome = await this.#admitted(request, trace);
    } catch (error) {
      outcome = refused(refusalOf(error, trace.subject));
    } finally {
      request.body.fill(0);
    }
    try {
      await this.#record(request, trace, outcome);
    } catch (failure) {
      outcome.body.fill(0);
      // A sealed server has no key for its log either: that is no failure, and the same answer as without a log.
      outcome = refused(hasCode(failure, 'KNK-KVT-0027') ? unavailableNow(failure) : internal(failure));
    }
    return replyOf(outcome, request.requestId);
  }

  /** Everything up to the act, in the order that the class promises. */
  async #admitted(request: DataPlaneRequest, trace: Trace): Promise<Outcome> {
    const path = parsePath(request.method, request.path);
    const route = routeFor(request.method, path);
    const subject = subjectOf(path, route.action);
    trace.operation = route.operation;
    trace.subject = subject;
    const query = parseQuery(request.query);
    const limit = route.body?.limit ?? 0;
    if (route.body !== null && request.body.length > limit) {
      throw new Refusal(413, 'RequestEntityTooLarge', `The request body is larger than ${limit} bytes.`);
    }
    const settings = this.#vault(request, trace);
    this.#assertAllowed(settings, request.caller, route.action, path);
    using body = parsedBody(request, route);
    // Written while the body still lives: the answer to a set secret holds the value that came with it.
    return succeeded(await this.#act({ request, settings, path, query, subject, route, body }));
  }

  #vault(request: DataPlaneRequest, trace: Trace): VaultSettings {
    const settings = this.#options.access.vault(request.vaultName);
    if (settings === undefined) throw new Refusal(404, 'VaultNotFound', 'There is no such vault.');
    trace.vault = settings.name;
    return settings;
  }

  /** REQ-324. Looks at nothing that depends on the object's being there. */
  #assertAllowed(settings: VaultSettings, caller: Caller, action: DataAction, path: ParsedPath): void {
    const { access } = this.#options;
    if (!access.admitsAddress(settings, caller)) {
      throw new Refusal(
        403,
        'Forbidden',
        `Client address (${caller.address}) is not authorized and caller is not a trusted service.`,
        { inner: 'ForbiddenByFirewall' },
      );
    }
    const object = path.name === null ? null : { collection: path.collection, name: path.name };
    if (access.permits(settings, caller, action, object)) return;
    const [collection, permission] = action.split('/');
    const who = `appid=${caller.applicationId ?? ''};oid=${caller.objectId};tid=${caller.tenantId}`;
    throw new Refusal(
      403,
      'Forbidden',
      `The user, group or application '${who}' does not have ${collection} ${permission} permission on key vault '${settings.name};location=${settings.location}'.`,
      { inner: 'AccessDenied' },
    );
  }

  async #act(admitted: {
    readonly request: DataPlaneRequest;
    readonly settings: VaultSettings;
    readonly path: ParsedPath;
    readonly query: ParsedQuery;
    readonly subject: Subject;
    readonly route: Route;
    readonly body: ParsedJson | null;
  }): Promise<Answer> {
    const { request, settings, path, query, subject, route, body } = admitted;
    const call: Call = {
      baseUrl: request.baseUrl,
      settings,
      terms: {
        retentionDays: settings.softDeleteRetentionDays,
        purgeProtection: settings.purgeProtection,
        premium: settings.sku === 'premium',
      },
      objects: this.#options.objects(settings.name),
      path,
      query,
      subject,
      body: body?.root,
    };
    if (this.#throttle !== null) assertRate(this.#throttle.admit(settings, await chargeFor(call, route)));
    return await route.handle(call);
  }

  async #record(request: DataPlaneRequest, trace: Trace, outcome: Outcome): Promise<void> {
    await this.#options.audit.append({
      time: this.#options.now(),
      requestId: request.requestId,
      operation: trace.operation,
      vault: trace.vault,
      object: auditedObject(trace.subject, outcome.used),
      objectId: request.caller.objectId,
      applicationId: request.caller.applicationId,
      address: request.caller.address,
      status: outcome.status,
      error: outcome.error,
    });
  }
}

/** How many bytes of a body are worth reading for `handle`; what is longer it refuses anyway (413). */
export function bodyLimitFor(method: string, path: string): number {
  try {
    return routeFor(method, parsePath(method, path)).body?.limit ?? bodyLimit;
  } catch (error) {
    if (error instanceof Refusal) return bodyLimit;
    throw error;
  }
}

function routeFor(method: string, path: ParsedPath): Route {
  const methods = routesAt(path.pattern);
  if (methods === undefined) throw unknownPath();
  const route = methods.get(method);
  if (route !== undefined) return route;
  throw new Refusal(405, 'MethodNotAllowed', 'The request URI does not allow this method.', {
    headers: { allow: [...methods.keys()].join(', ') },
  });
}

function subjectOf(path: ParsedPath, action: DataAction): Subject {
  const { collection, isDeleted, name, version } = path;
  const verb = action.slice(collection.length + 1);
  const known = version !== null && isVersion(version) ? version.toLowerCase() : null;
  return { collection, isDeleted, name, version: known, verb };
}

function parsedBody(request: DataPlaneRequest, route: Route): ParsedJson | null {
  if (route.body === null || request.body.length === 0) return null;
  const parsed = parseJson(request.body, route.body.plan);
  if (parsed === undefined) throw new Refusal(400, 'BadParameter', 'The request body is not valid JSON.');
  return parsed;
}

function assertRate(seconds: number): void {
  if (seconds === 0) return;
  throw new Refusal(
    429,
    'Throttled',
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
    { headers: { 'retry-after': String(seconds) } },
  );
}

function auditedObject(subject: Subject | null, used: Answer['used']): string | null {
  const name = used?.name ?? subject?.name ?? null;
  if (subject === null || name === null) return null;
  const version = used === null ? subject.version : used.version;
  return version === null ? `${subject.collection}/${name}` : `${subject.collection}/${name}/${version}`;
}

function succeeded({ status, body, value, used }: Answer): Outcome {
  using secret = value?.secret;
  const bytes =
    body === null
      ? Buffer.alloc(0)
      : encodeJson(
          body,
          value === undefined || secret === undefined ? null : { form: value.form, bytes: secret.bytes },
        );
  return { status, headers: body === null ? {} : jsonType, body: bytes, error: null, used, failure: undefined };
}

function refused(refusal: Refusal): Outcome {
  return {
    status: refusal.status,
    headers: { ...jsonType, ...refusal.headers },
    body: encodeJson(refusal.body(), null),
    error: refusal.code,
    used: null,
    failure: refusal.failure,
  };
}

function replyOf({ status, headers, body, failure }: Outcome, requestId: string): DataPlaneReply {
  const reply = { status, headers: { ...headers, 'cache-control': 'no-store', 'x-ms-request-id': requestId }, body };
  return failure === undefined ? reply : { ...reply, failure };
}
