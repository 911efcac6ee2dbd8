import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { CloudRequest } from '../service.ts';
import { administratorPolicy, isAllowed, skyferryPolicy } from './policy.ts';
import type { Policy } from './policy.ts';

export const ACCOUNT_ID = '123456789012';
/** A signature older than this is refused. */
const SKEW_MS = 15 * 60_000;

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface User extends AccessKey {
  readonly name: string;
  readonly policy: Policy;
}

/** The sandbox's users. Their keys open nothing but the sandbox. */
export const sandboxUsers = {
  administrator: {
    name: 'administrator',
    accessKeyId: 'AKIASANDBOXADMINISTR',
    secretAccessKey: 'sandbox-administrator',
    policy: administratorPolicy,
  },
  /** May do what the documented policy grants. */
  skyferry: {
    name: 'skyferry',
    accessKeyId: 'AKIASANDBOXSKYFERRYX',
    secretAccessKey: 'sandbox-skyferry',
    policy: skyferryPolicy,
  },
} as const satisfies Record<string, User>;

/** Services by the names that are signed with; IAM's actions of `monitoring` begin with `cloudwatch:`. */
export type SignedService = 'rds' | 'monitoring' | 'route53' | 'secretsmanager';

/** Status and code are those of the service's own protocol; the caller wraps them in it. */
export interface Denied {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What the same refusal is called: AWS query and REST XML agree, the JSON protocols differ. */
const refusals = {
  missingToken: {
    xml: [403, 'MissingAuthenticationToken'],
    json: 'MissingAuthenticationTokenException',
  },
  incomplete: { xml: [400, 'IncompleteSignature'], json: 'IncompleteSignatureException' },
  unknownKey: { xml: [403, 'InvalidClientTokenId'], json: 'UnrecognizedClientException' },
  expired: { xml: [400, 'RequestExpired'], json: 'InvalidSignatureException' },
  expiredToken: { xml: [403, 'ExpiredToken'], json: 'ExpiredTokenException' },
  badSignature: { xml: [403, 'SignatureDoesNotMatch'], json: 'InvalidSignatureException' },
  denied: { xml: [403, 'AccessDenied'], json: 'AccessDeniedException' },
} as const;

/**
 * Who signed this request, and may they do it? Null: they may.
 *
 * @param action as IAM spells it, without the service, e.g. `DescribeDBInstances`
 * @param resource an ARN, or `*` for actions on no single resource
 */
export function authorize(
  request: CloudRequest,
  service: SignedService,
  action: string,
  resource: string,
): Denied | null {
  const caller = identify(request, service);
  if ('code' in caller) return caller;
  const prefix = service === 'monitoring' ? 'cloudwatch' : service;
  if (isAllowed(caller.policy, `${prefix}:${action}`, resource)) return null;
  return refuse(
    service,
    'denied',
    `User: arn:aws:iam::${ACCOUNT_ID}:user/${caller.name} is not authorized to perform: ${prefix}:${action} ` +
      `on resource: ${resource} because no identity-based policy allows the ${prefix}:${action} action`,
  );
}

/** Signed by somebody who exists? Null: yes. For what is looked at before the resource is known. */
export function authenticate(request: CloudRequest, service: SignedService): Denied | null {
  const caller = identify(request, service);
  return 'code' in caller ? caller : null;
}

function identify(request: CloudRequest, service: SignedService): User | Denied {
  const no = (kind: keyof typeof refusals, message: string) => refuse(service, kind, message);
  const signature = readSignature(request);
  if (signature === 'missing') {
    return no('missingToken', 'Request is missing Authentication Token');
  }
  if (signature === 'incomplete') return no('incomplete', 'Authorization header is incomplete');
  const user = Object.values(sandboxUsers).find((u) => u.accessKeyId === signature.keyId);
  if (user === undefined) {
    return no('unknownKey', 'The security token included in the request is invalid.');
  }
  if (Math.abs(Date.now() - parseAmzDate(signature.date)) > SKEW_MS) {
    return no('expired', `Signature expired: ${signature.date} is not within 15 min of now`);
  }
  if (signature.service !== service) {
    return no('badSignature', `Credential should be scoped to correct service: '${service}'.`);
  }
  if (!isSignedBy(user, request, signature)) {
    return no(
      'badSignature',
      'The request signature we calculated does not match the signature you provided.',
    );
  }
  return user;
}

/** As if the session's credentials had run out: for the fault of that kind. */
export function expiredToken(service: SignedService): Denied {
  return refuse(service, 'expiredToken', 'The security token included in the request is expired');
}

function refuse(service: SignedService, kind: keyof typeof refusals, message: string): Denied {
  const refusal = refusals[kind];
  if (service === 'secretsmanager' || service === 'monitoring') {
    return { status: 400, code: refusal.json, message };
  }
  const [status, code] = refusal.xml;
  return { status, code, message };
}

interface Signature {
  readonly keyId: string;
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20261123T010203Z` */
  readonly date: string;
}

function readSignature({ headers }: CloudRequest): Signature | 'missing' | 'incomplete' {
  const { authorization } = headers;
  if (authorization === undefined) return 'missing';
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  const date = headers['x-amz-date'];
  if (parts === null || date === undefined) return 'incomplete';
  const [, keyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] =
    parts;
  return { keyId, day, region, service, signedHeaders: signedHeaders.split(';'), signature, date };
}

/** Signature Version 4, computed again with the user's secret. */
function isSignedBy(user: User, request: CloudRequest, signature: Signature): boolean {
  const { day, region, service, signedHeaders, date } = signature;
  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${trim(request.headers[name] ?? '')}`),
    '',
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part),
    Buffer.from(`AWS4${user.secretAccessKey}`),
  );
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature.signature, 'hex'));
}

/** Every service but S3 signs the path as it is sent, encoded once more. */
function canonicalPath(decoded: string): string {
  const sent = decoded.split('/').map(encode).join('/');
  return sent.split('/').map(encode).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function trim(value: string): string {
  return value.trim().replaceAll(/ +/g, ' ');
}

function parseAmzDate(date: string): number {
  return Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
