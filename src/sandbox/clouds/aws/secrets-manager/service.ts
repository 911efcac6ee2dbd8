import * as vendor from '@aws-sdk/client-secrets-manager';
import type { CloudContext, CloudRequest, CloudResponse, CloudService } from '../../service.ts';
import { ACCOUNT_ID, authorize } from '../identity.ts';
import { AwsJsonError, jsonError, jsonFault, jsonResult, parseInput } from '../json-protocol.ts';
import { operationShapes } from '../schema.ts';
import { operations } from './operations.ts';
import type { Secrets } from './operations.ts';

const NAME = 'secretsmanager';
const TARGET = 'secretsmanager.';

/** AWS Secrets Manager: JSON 1.1 by `X-Amz-Target`, as far as switching a secret needs it. */
export async function createSecretsManagerService(context: CloudContext): Promise<CloudService> {
  const { faults, region } = context;
  const store = await context.store<Secrets>('aws-secrets', { secrets: {} });

  const act = async (request: CloudRequest, operation: string): Promise<CloudResponse> => {
    const shapes = operationShapes(vendor, operation);
    const run = operations[operation as keyof typeof operations] as
      (typeof operations)[keyof typeof operations] | undefined;
    if (shapes === null || run === undefined) {
      return jsonError(400, 'UnknownOperationException', '');
    }
    const denied = authorize(request, NAME, operation, resourceOf(request.body));
    if (denied !== null) return jsonError(denied.status, denied.code, denied.message);
    const input = parseInput(request.body, shapes.input);
    const result = run({ state: store.value, arnPrefix: arn('') }, input);
    await store.save();
    return jsonResult(result);
  };

  const arn = (name: string): string =>
    `arn:aws:secretsmanager:${region}:${ACCOUNT_ID}:secret:${name}`;

  /** The secret's ARN when there is one, else what it would be called. */
  const resourceOf = (body: Buffer): string => {
    const { SecretId, Name } = lenient(body);
    const id = SecretId ?? Name;
    if (typeof id !== 'string') return '*';
    if (id.startsWith('arn:')) return id;
    return store.value.secrets[id]?.arn ?? arn(id);
  };

  return {
    name: NAME,
    matches: ({ headers }) => headers['x-amz-target']?.startsWith(TARGET) === true,
    async answer(request) {
      const operation = (request.headers['x-amz-target'] ?? '').slice(TARGET.length);
      const fault = faults.take(NAME, operation);
      if (fault !== null) return jsonFault(fault);
      try {
        return await act(request, operation);
      } catch (error) {
        if (!(error instanceof AwsJsonError)) throw error;
        return jsonError(error.status, error.code, error.message);
      }
    },
  };
}

function lenient(body: Buffer): { SecretId?: unknown; Name?: unknown } {
  try {
    return JSON.parse(body.toString()) as object;
  } catch {
    return {};
  }
}
