/** A refusal as Entra's token endpoint words it (RFC 6749, 5.2, and the AADSTS codes that clients print). */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  /** The number behind `AADSTS`. */
  readonly code: number;
  readonly text: string;
  readonly retryAfterSeconds?: number;
}

function invalidRequest(code: number, text: string): Refusal {
  return { status: 400, error: 'invalid_request', code, text };
}

export const refusals = {
  /** One text for an unknown client, a wrong secret and a disabled principal. 401 and not 400: MSAL caches a 400. */
  badSecret: {
    status: 401,
    error: 'invalid_client',
    code: 7000215,
    text: 'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.',
  },
  badAssertion: {
    status: 401,
    error: 'invalid_client',
    code: 700027,
    text: 'The client assertion is not accepted: not signed by a registered certificate, not for this endpoint, over, or used before from elsewhere.',
  },
  noCredential: {
    status: 401,
    error: 'invalid_client',
    code: 7000218,
    text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  },
  busy: {
    status: 503,
    error: 'temporarily_unavailable',
    code: 90033,
    text: 'Too many sign-ins at one time. Please try again in a moment.',
    retryAfterSeconds: 2,
  },
  unknownTenant: invalidRequest(90002, 'Tenant not found. Check to make sure you have the correct tenant ID.'),
  unknownInstance: {
    status: 400,
    error: 'invalid_instance',
    code: 50049,
    text: 'Unknown or invalid instance.',
  },
  malformed: invalidRequest(900144, 'The request body is not a form of known size and encoding.'),
  twoCredentials: invalidRequest(900144, 'The request has more than one client credential.'),
  grant: { status: 400, error: 'unsupported_grant_type', code: 70003, text: 'The grant type is not supported.' },
  scope: {
    status: 400,
    error: 'invalid_scope',
    code: 1002012,
    text: 'The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
  },
  resource: {
    status: 400,
    error: 'invalid_resource',
    code: 500011,
    text: 'The resource principal was not found in the tenant.',
  },
} as const satisfies Record<string, Refusal>;

export function missingParameter(name: string): Refusal {
  return invalidRequest(900144, `The request body must contain the following parameter: '${name}'.`);
}

export function repeatedParameter(name: string): Refusal {
  return invalidRequest(9000411, `The parameter '${name}' is duplicated.`);
}

/** The secret was not looked at. */
export function lockedOut(seconds: number): Refusal {
  return {
    status: 401,
    error: 'invalid_client',
    code: 50053,
    text: `Too many sign-ins with a wrong secret from this address. Try again in ${seconds} seconds.`,
    retryAfterSeconds: seconds,
  };
}

export interface RefusalContext {
  readonly traceId: string;
  /** What the client calls the request, where it is a UUID. */
  readonly correlationId: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function refusalBody({ error, code, text }: Refusal, { traceId, correlationId, now }: RefusalContext): object {
  const timestamp = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
  };
}
