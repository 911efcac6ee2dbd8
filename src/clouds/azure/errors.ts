import { SkyferryFailure } from '../../failures.ts';

/** Classified by Azure's code and HTTP status, never by the text that comes with them. */
const denied = new Set([
  'AuthorizationFailed',
  'LinkedAuthorizationFailed',
  'AuthenticationFailed',
  'ExpiredAuthenticationToken',
  'InvalidAuthenticationToken',
  'InvalidAuthenticationTokenTenant',
  'RequestDisallowedByPolicy',
  'RequestDisallowedByAzure',
  'ScopeLocked',
  'SubscriptionNotFound',
  'ReadOnlyDisabledSubscription',
  'MissingSubscriptionRegistration',
]);

const busy = new Set([
  'TooManyRequests',
  'SubscriptionRequestsThrottled',
  'ResourceRequestsThrottled',
  'OperationThrottled',
  'AnotherOperationInProgress',
  'OperationInProgress',
  'OperationNotAllowedDuringUpdate',
  'ServerIsBusy',
  'ServerBusy',
  'ServerBusyWithOtherOperation',
  // Of a state that passes; one that does not is told by the server's own state.
  'ServerUnavailableForOperation',
  'ServerIsNotReady',
  'ResourceBusy',
  'InternalServerError',
  'ServiceUnavailable',
  'ServerTimeout',
  'GatewayTimeout',
]);

const unavailable = new Set([
  'QuotaExceeded',
  'ServerQuotaExceeded',
  'SubscriptionQuotaExceeded',
  'RegionalQuotaExceeded',
  'SkuNotAvailable',
  'InvalidSku',
  'UnsupportedServerEdition',
  'LocationNotAvailableForResourceType',
  'LocationNotAvailable',
  'RegionIsOfferRestricted',
  'ProvisionNotSupportedForRegion',
  'ZoneNotAvailable',
  'NameNotAvailable',
  'ServerNameAlreadyExists',
  'ServerNameNotAvailable',
  'NameAlreadyExists',
  'ResourceGroupNotFound',
]);

/** Of identity's own errors: the machine has no login at all, or it is refused. */
const noLogin = new Set([
  'AuthenticationError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
  'AuthenticationRequiredError',
]);

const connection = new Set([
  'REQUEST_SEND_ERROR',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** One call to Azure; `doing` says which, for people. Throws CLOUD_… failures, or the signal's reason. */
export async function askAzure<T>(
  doing: string,
  signal: AbortSignal,
  call: (options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  try {
    return await call({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw toAzureFailure(error, doing);
  }
}

/** What Azure answered with, e.g. `ResourceNotFound`; undefined for what never reached it. */
export function azureErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { name, code, errorResponse } = error as {
    name?: unknown;
    code?: unknown;
    errorResponse?: { error?: unknown };
  };
  if (typeof code === 'string') return code;
  if (typeof errorResponse?.error === 'string') return errorResponse.error;
  return typeof name === 'string' && noLogin.has(name) ? name : undefined;
}

/** The thing asked about, not what holds it. */
export function isAzureNotFound(error: unknown): boolean {
  const code = azureErrorCode(error) ?? '';
  return (
    statusOf(error) === 404 && !['ResourceGroupNotFound', 'SubscriptionNotFound'].includes(code)
  );
}

/** Forgotten, or an address that Azure does not accept (any more): nothing is known of how it ended. */
export function isUnknownOperation(error: unknown): boolean {
  return [400, 403, 404, 410].includes(statusOf(error));
}

export function toAzureFailure(error: unknown, doing: string): SkyferryFailure {
  if (error instanceof SkyferryFailure) return error;
  const code = azureErrorCode(error) ?? 'an error without a code';
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : '';
  if (connection.has(code)) {
    return new SkyferryFailure('CLOUD_BUSY', `${doing}: Azure is not reached (${code})`, {
      next: 'it is tried again; if it stays so, look at the worker’s way to Azure’s endpoints',
    });
  }
  // A directory that is away is no refusal, though the same class says so.
  if (noLogin.has(name) && status < 500 && status !== 429) {
    return new SkyferryFailure('CLOUD_DENIED', `${doing}: Azure gave no token (${code})`, {
      safe: 'what was asked for was not done',
      next: 'give the worker a valid login (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, or az login), then retry',
    });
  }
  return classify({ code, status, doing, said: firstLine(error), ...askedToWait(error) });
}

interface Answer {
  readonly code: string;
  readonly status: number;
  readonly doing: string;
  readonly said: string;
  readonly retryAfter?: string;
}

/** Also for an operation that was taken on and failed later: its error has a code, but no status (0). */
export function classify({ code, status, doing, said, retryAfter }: Answer): SkyferryFailure {
  const message = `${doing}: Azure answered ${code}${said === '' || said === code ? '' : `: ${said}`}`;
  if (busy.has(code) || status === 429 || status >= 500) {
    return new SkyferryFailure('CLOUD_BUSY', message, {
      next: `it is tried again by itself${retryAfter === undefined ? '' : ` (Azure asked for ${retryAfter} seconds)`}`,
    });
  }
  if (unavailable.has(code) || /Quota|NotAvailable/.test(code)) {
    return new SkyferryFailure('CLOUD_UNAVAILABLE', message, {
      safe: 'nothing was made',
      next: unavailableNext(code),
    });
  }
  if (denied.has(code) || status === 401 || status === 403) {
    return new SkyferryFailure('CLOUD_DENIED', message, {
      safe: 'what was asked for was not done',
      next: deniedNext(code, status),
    });
  }
  return new SkyferryFailure('CLOUD_FAILED', message, {
    next: 'look at the resource’s activity log in Azure, mend what the code names, then retry',
  });
}

function unavailableNext(code: string): string {
  if (/Quota/.test(code))
    return 'ask for more quota in that region (az quota), or choose a smaller sku, then retry';
  if (/Name/.test(code)) return 'choose another target.server: names are unique in all of Azure';
  if (code === 'ResourceGroupNotFound')
    return 'make the resource group (az group create), then retry';
  return 'choose another sku, version, zone or location (az mysql flexible-server list-skus shows them)';
}

function deniedNext(code: string, status: number): string {
  if (/Policy|DisallowedByAzure/.test(code))
    return 'ask whoever owns the policy for an exemption, or choose what it allows, then retry';
  if (code === 'ScopeLocked') return 'remove the lock on the resource (az lock list), then retry';
  if (status === 401 || /Token|Authentication/.test(code))
    return 'give the worker a login that is valid (az account show tells), then retry';
  return 'grant the worker’s identity the right to do this (docs/aws-to-azure.md has the role), then retry';
}

function statusOf(error: unknown): number {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : 0;
}

/** The SDK has waited that long already, some times over, before it gives up. */
function askedToWait(error: unknown): { retryAfter?: string } {
  const { response } = error as { response?: { headers?: { get?(name: string): unknown } } };
  const value = response?.headers?.get?.('retry-after');
  return typeof value === 'string' && /^\d+$/.test(value) ? { retryAfter: value } : {};
}

function firstLine(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return (error.message.split('\n')[0] ?? '').slice(0, 300);
}
