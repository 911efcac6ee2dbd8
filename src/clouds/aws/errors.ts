import { SkyferryFailure } from '../../failures.ts';

/**
 * Classified by the vendor's code, never by its text. The wire's codes and the SDK's classes differ in
 * endings (`InvalidDBParameterGroupState` becomes `…StateFault`), so both are looked up without them.
 */
const denied = new Set([
  'AccessDenied',
  'UnauthorizedOperation',
  'NotAuthorized',
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'InvalidClientTokenId',
  'UnrecognizedClient',
  'SignatureDoesNotMatch',
  'InvalidSignature',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'OptInRequired',
  'CredentialsProviderError',
  'TokenProviderError',
]);

const busy = new Set([
  'Throttling',
  'Throttled',
  'TooManyRequests',
  'RequestLimitExceeded',
  'RequestThrottled',
  'SlowDown',
  'PriorRequestNotComplete',
  'InvalidDBInstanceState',
  'InvalidDBClusterState',
  // Of a group whose last change is still being applied.
  'InvalidDBParameterGroupState',
  'InternalFailure',
  'InternalServerError',
  'InternalServiceError',
  'ServiceUnavailable',
  'RequestTimeout',
  'TimeoutError',
]);

const unavailable = new Set([
  'InsufficientDBInstanceCapacity',
  'InsufficientDBClusterCapacity',
  'StorageQuotaExceeded',
  'DBParameterGroupQuotaExceeded',
  'DBParameterGroupAlreadyExists',
  'InstanceQuotaExceeded',
  'ProvisionedIopsNotAvailableInAZ',
  'StorageTypeNotSupported',
  'LimitExceeded',
]);

const connection = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'NetworkingError',
]);

/** Their texts repeat what was signed, and with it a session token. */
const textHoldsSecrets =
  /^(SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|CredentialsProviderError)/;

/** One call to AWS; `doing` says which, for people. Throws CLOUD_… failures, or the signal's reason. */
export async function askAws<T>(
  doing: string,
  signal: AbortSignal,
  call: (options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  try {
    return await call({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw toAwsFailure(error, doing);
  }
}

/** The vendor's codes, as the SDK names the class and as the wire says it, without endings. */
export function awsErrorCodes(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { name, Code, code } = error as { name?: unknown; Code?: unknown; code?: unknown };
  return [name, Code, code]
    .filter((text): text is string => typeof text === 'string' && text !== '' && text !== 'Error')
    .map((text) => text.replace(/(Fault|Exception)$/, ''));
}

export function isAwsError(error: unknown, code: string): boolean {
  return awsErrorCodes(error).includes(code);
}

export function toAwsFailure(error: unknown, doing: string): SkyferryFailure {
  if (error instanceof SkyferryFailure) return error;
  const codes = awsErrorCodes(error);
  const shown = codes[0] ?? 'an error without a code';
  const is = (known: ReadonlySet<string>) => codes.some((code) => known.has(code));
  const message = `${doing}: AWS answered ${shown}${vendorText(error, shown)}`;
  if (is(denied)) {
    return new SkyferryFailure('CLOUD_DENIED', message, {
      safe: 'what was asked for was not done',
      next: shown.startsWith('AccessDenied')
        ? `grant the worker’s AWS identity the right to do this (docs/aws-to-azure.md has the policy), then retry`
        : `give the worker AWS credentials that are valid (aws sts get-caller-identity tells), then retry`,
    });
  }
  if (is(connection)) {
    return new SkyferryFailure('CLOUD_BUSY', `${doing}: AWS is not reached (${shown})`, {
      next: 'it is tried again; if it stays so, look at the worker’s way to the AWS endpoints',
    });
  }
  if (is(unavailable) || codes.some((code) => /Quota|NotAvailable/.test(code))) {
    return new SkyferryFailure('CLOUD_UNAVAILABLE', message, {
      safe: 'nothing was made',
      next: 'raise the quota, or choose another name, size or region, then retry',
    });
  }
  if (is(busy) || status(error) >= 500) {
    return new SkyferryFailure('CLOUD_BUSY', message, { next: 'it is tried again by itself' });
  }
  return new SkyferryFailure('CLOUD_FAILED', message, {
    next: 'look at the resource in the AWS console, mend what the code names, then retry',
  });
}

function status(error: unknown): number {
  const metadata = (error as { $metadata?: { httpStatusCode?: unknown } } | null)?.$metadata;
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : 0;
}

function vendorText(error: unknown, code: string): string {
  if (!(error instanceof Error) || textHoldsSecrets.test(code)) return '';
  const [line = ''] = error.message.split('\n');
  return line === '' || line === code ? '' : `: ${line.slice(0, 300)}`;
}
