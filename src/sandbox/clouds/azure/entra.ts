import { randomUUID } from 'node:crypto';
import type { CloudContext, CloudRequest, CloudResponse, CloudService } from '../service.ts';
import { json } from './arm-error.ts';
import { sandboxAdministrator, sandboxPrincipal } from './principal.ts';
import { Tokens } from './tokens.ts';

const LIFETIME_SECONDS = 3599;
const route = /^\/([^/]+)\/(?:v2\.0\/(\.well-known\/openid-configuration)|oauth2\/v2\.0\/(token))$/;

/** Microsoft Entra ID, as far as a service principal with a client secret goes. */
export async function createEntraService(context: CloudContext): Promise<CloudService> {
  const tokens = await Tokens.open(context);
  return {
    name: 'entra',
    matches: ({ path }) => route.test(path),
    answer: async (request) => {
      const [, tenant = '', discovery] = route.exec(request.path) ?? [];
      return discovery === undefined
        ? token(context, tokens, tenant, request)
        : configuration(context, tenant, request);
    },
  };
}

function configuration(
  { faults }: CloudContext,
  tenant: string,
  { headers }: CloudRequest,
): CloudResponse {
  faults.take('entra', 'OpenidConfiguration');
  if (tenant !== sandboxPrincipal.tenant) return unknownTenant(tenant);
  const authority = `https://${headers['host']}/${tenant}`;
  return json(200, {
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    jwks_uri: `${authority}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: `${authority}/v2.0`,
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${authority}/oauth2/v2.0/logout`,
  });
}

function token(
  { faults }: CloudContext,
  tokens: Tokens,
  tenant: string,
  { method, headers, body }: CloudRequest,
): CloudResponse {
  const fault = faults.take('entra', 'Token');
  if (fault?.kind === 'throttle') {
    return refused(429, 'temporarily_unavailable', 90055, 'The server is too busy.', {
      'retry-after': String(fault.retryAfterSeconds ?? 1),
    });
  }
  if (fault !== null && fault.kind !== 'expired') {
    return refused(503, 'temporarily_unavailable', 90033, 'A transient error has occurred.');
  }
  if (tenant !== sandboxPrincipal.tenant) return unknownTenant(tenant);
  if (method !== 'POST') {
    return refused(400, 'invalid_request', 900561, 'The endpoint only accepts POST requests.');
  }
  const form = new URLSearchParams(body.toString());
  const client = form.get('client_id') ?? '';
  if (form.get('grant_type') !== 'client_credentials') {
    return refused(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant.');
  }
  const principal = [sandboxPrincipal, sandboxAdministrator].find((p) => p.client === client);
  if (principal === undefined) {
    return refused(
      400,
      'unauthorized_client',
      700016,
      `Application with identifier '${client}' was not found in the directory '${tenant}'.`,
    );
  }
  if (form.get('client_secret') !== principal.secret) {
    return refused(
      401,
      'invalid_client',
      7000215,
      'Invalid client secret provided. Ensure the secret being sent in the request is the client ' +
        `secret value, not the client secret ID, for a secret added to app '${client}'.`,
    );
  }
  const resource = /^(https:\/\/\S+?)\/{0,2}\.default/.exec(form.get('scope') ?? '')?.[1];
  if (resource !== `https://${headers['host']}` && resource !== 'https://management.azure.com') {
    return refused(400, 'invalid_scope', 70011, 'The provided value for scope is not valid.');
  }
  // One that has expired looks like any other to the client: only the resource says so.
  const life = fault === null ? LIFETIME_SECONDS : -60;
  return json(200, {
    token_type: 'Bearer',
    expires_in: LIFETIME_SECONDS,
    ext_expires_in: LIFETIME_SECONDS,
    access_token: tokens.issue({
      aud: resource,
      tid: tenant,
      appid: client,
      oid: principal.object,
      exp: Math.floor(Date.now() / 1000) + life,
    }),
  });
}

function unknownTenant(tenant: string): CloudResponse {
  return refused(
    400,
    'invalid_request',
    90002,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
  );
}

function refused(
  status: number,
  error: string,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): CloudResponse {
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return json(
    status,
    {
      error,
      error_description: `AADSTS${code}: ${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
    },
    headers,
  );
}
