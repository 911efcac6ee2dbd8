import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { CloudContext, CloudRequest, CloudResponse, CloudService, Fault } from '../service.ts';
import { ArmError, errorResponse } from './arm-error.ts';
import { sandboxAdministrator, sandboxPrincipal } from './principal.ts';
import { skyferryDataMigrationRole, skyferryRegionRole, skyferryRole } from './role.ts';
import type { TokenClaims } from './tokens.ts';
import { Tokens } from './tokens.ts';

export interface ArmCall {
  /** The path's parameters by the names in the route's pattern, as they were sent. */
  readonly params: Readonly<Record<string, string>>;
  readonly request: CloudRequest;
  readonly apiVersion: string;
  /** Parsed, and valid by the route's schema; undefined when the route has none. */
  readonly body: unknown;
  /** Only `fail-operation` arrives here: the other kinds were answered already. */
  readonly fault: Fault | null;
}

/** One operation of a resource provider. */
export interface ArmRoute {
  /** The specification's operationId, e.g. `Servers_Create`. */
  readonly operation: string;
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** `/subscriptions/{subscription}/…`; everything but the parameters in any case. */
  readonly path: string;
  /** The right that is asked for, e.g. `Microsoft.DBforMySQL/flexibleServers/write`. */
  readonly action: string;
  readonly apiVersions: readonly string[];
  /** Strict: what the specification of that version does not know is refused. */
  readonly body?: z.ZodType | ((apiVersion: string) => z.ZodType);
  readonly answer: (call: ArmCall) => Promise<CloudResponse>;
}

/** One resource provider: its operations, and what it does when the clouds end. */
export interface ArmProvider {
  /** e.g. `Microsoft.Network`; also the beginning of the service's name in the request log. */
  readonly namespace: string;
  readonly routes: readonly ArmRoute[];
  readonly close?: () => Promise<void>;
}

/**
 * Azure Resource Manager before one provider: bearer tokens, api-versions, rights and the shape of
 * requests are its matter. The service's name for faults and in the log is `azure`.
 */
export async function createArmService(
  context: CloudContext,
  { namespace, routes, close }: ArmProvider,
): Promise<CloudService> {
  const tokens = await Tokens.open(context);
  const compiled = routes.map((route) => ({ route, pattern: compile(route.path) }));
  const beginning = new RegExp(
    `^/subscriptions/[^/]+(/resourceGroups/[^/]+)?/providers/${namespace.replace('.', '\\.')}/`,
    'i',
  );
  const paths = compiled.map(({ pattern }) => pattern);
  return {
    name: 'azure',
    // Two providers may share a namespace, as DNS and private DNS do.
    matches: ({ path }) => beginning.test(path) && paths.some((pattern) => pattern.test(path)),
    answer: async (request) => {
      const common = { 'x-ms-request-id': randomUUID(), 'cache-control': 'no-cache' };
      const response = await answer(context, tokens, namespace, compiled, request).catch(
        (error: unknown) => {
          if (error instanceof ArmError) return errorResponse(error);
          throw error;
        },
      );
      return { ...response, headers: { ...common, ...response.headers } };
    },
    ...(close !== undefined && { close }),
  };
}

async function answer(
  { faults }: CloudContext,
  tokens: Tokens,
  namespace: string,
  compiled: readonly { route: ArmRoute; pattern: RegExp }[],
  request: CloudRequest,
): Promise<CloudResponse> {
  const onPath = compiled.filter(({ pattern }) => pattern.test(request.path));
  const found = onPath.find(({ route }) => route.method === request.method);
  const fault = faults.take('azure', found?.route.operation ?? request.method);
  if (fault?.kind === 'expired') throw expired(new Date());
  const claims = authenticate(tokens, request);
  const apiVersion = request.query.get('api-version');
  if (apiVersion === null || apiVersion === '') {
    throw new ArmError(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.',
    );
  }
  if (found === undefined) {
    throw new ArmError(405, 'MethodNotAllowed', `The method ${request.method} is not allowed.`);
  }
  const { route, pattern } = found;
  const params = pattern.exec(request.path)?.groups ?? {};
  if (!route.apiVersions.includes(apiVersion)) throw unknownVersion(namespace, route, apiVersion);
  authorize(claims, route.action, params['subscription'], request.path);
  if (fault !== null) refuseAsTold(fault);
  return await route.answer({
    params,
    request,
    apiVersion,
    body: parseBody(route, apiVersion, request),
    fault,
  });
}

function authenticate(tokens: Tokens, { headers }: CloudRequest): TokenClaims {
  const challenge = {
    'www-authenticate': `Bearer authorization_uri="https://${headers['host']}/${sandboxPrincipal.tenant}", error="invalid_token", error_description="The authentication failed because of missing 'Authorization' header."`,
  };
  const given = /^Bearer (.+)$/i.exec(headers['authorization'] ?? '')?.[1];
  if (given === undefined) {
    const message = "Authentication failed. The 'Authorization' header is missing.";
    throw new ArmError(401, 'AuthenticationFailed', message, challenge);
  }
  const claims = tokens.read(given);
  if (claims === null) {
    throw new ArmError(
      401,
      'InvalidAuthenticationToken',
      'The access token is invalid.',
      challenge,
    );
  }
  const audiences = [`https://${headers['host']}`, 'https://management.azure.com'];
  if (!audiences.includes(claims.aud)) {
    throw new ArmError(
      401,
      'InvalidAuthenticationTokenAudience',
      'The access token has been obtained for wrong audience or resource.',
      challenge,
    );
  }
  if (claims.exp * 1000 < Date.now()) throw expired(new Date(claims.exp * 1000));
  return claims;
}

function expired(at: Date): ArmError {
  return new ArmError(
    401,
    'ExpiredAuthenticationToken',
    `The access token expiry UTC time '${at.toUTCString()}' is earlier than current UTC time '${new Date().toUTCString()}'.`,
  );
}

function authorize(
  { appid: client, oid: object }: TokenClaims,
  action: string,
  subscription: string | undefined,
  path: string,
): void {
  if (subscription !== sandboxPrincipal.subscription) {
    throw new ArmError(
      404,
      'SubscriptionNotFound',
      `The subscription '${subscription}' could not be found.`,
    );
  }
  if (client === sandboxAdministrator.client) return;
  if (grantedOn(path).some((one) => one.toLowerCase() === action.toLowerCase())) return;
  throw new ArmError(
    403,
    'AuthorizationFailed',
    `The client '${client}' with object id '${object}' does not have authorization to perform action '${action}' over scope '${path}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

/** What is granted on resource groups says nothing of what stands in none. */
function grantedOn(path: string): readonly string[] {
  return /^\/subscriptions\/[^/]+\/resourceGroups\//i.test(path)
    ? [...skyferryRole, ...skyferryDataMigrationRole]
    : skyferryRegionRole;
}

function unknownVersion(namespace: string, route: ArmRoute, apiVersion: string): ArmError {
  const type = /\/providers\/[^/]+\/([^/]+)/.exec(route.path)?.[1] ?? '';
  return new ArmError(
    400,
    'InvalidResourceType',
    `The resource type '${type}' could not be found in the namespace '${namespace}' for api version '${apiVersion}'. The supported api-versions are '${route.apiVersions.join(',')}'.`,
  );
}

function refuseAsTold({ kind, code, status, retryAfterSeconds = 1 }: Fault): void {
  const after = { 'retry-after': String(retryAfterSeconds) };
  switch (kind) {
    case 'throttle':
      throw new ArmError(429, code ?? 'TooManyRequests', 'The request is being throttled.', after);
    case 'conflict':
      throw new ArmError(
        409,
        code ?? 'AnotherOperationInProgress',
        'Another operation on this or dependent resource is in progress.',
      );
    case 'server-error':
      throw new ArmError(500, code ?? 'InternalServerError', 'An unexpected error occurred.');
    case 'refuse':
      throw new ArmError(status ?? 400, code ?? 'BadRequest', 'The request was refused.');
    case 'expired':
    case 'fail-operation':
      break;
  }
}

function parseBody(route: ArmRoute, apiVersion: string, { body }: CloudRequest): unknown {
  if (route.body === undefined) return undefined;
  const schema = typeof route.body === 'function' ? route.body(apiVersion) : route.body;
  let value: unknown;
  try {
    value = body.length === 0 ? undefined : JSON.parse(body.toString());
  } catch {
    throw invalidContent('The request body is no JSON.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidContent(`${issue?.message ?? ''} Path '${issue?.path.join('.') ?? ''}'.`);
}

function invalidContent(why: string): ArmError {
  return new ArmError(
    400,
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: '${why}'`,
  );
}

/** Everything but the values between slashes is compared in lower and upper case alike, as ARM does. */
function compile(path: string): RegExp {
  const source = path
    .split('/')
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      return name === undefined ? part.replaceAll('.', '\\.') : `(?<${name}>[^/]+)`;
    })
    .join('/');
  return new RegExp(`^${source}$`, 'i');
}

/** What no provider here answers; the last of Azure's services to be asked. */
export async function createRestOfArm({ faults }: CloudContext): Promise<CloudService> {
  return {
    name: 'azure',
    matches: ({ path }) => path.startsWith('/subscriptions/'),
    answer: async ({ method, path }) => {
      faults.take('azure', method);
      const message = `The resource type could not be found: '${path}'.`;
      return errorResponse(new ArmError(404, 'InvalidResourceType', message));
    },
  };
}
