import * as exported from '@aws-sdk/client-rds';
import type {
  CloudContext,
  CloudRequest,
  CloudResponse,
  CloudService,
  Fault,
} from '../../service.ts';
import type { Denied } from '../identity.ts';
import { authenticate, authorize, expiredToken } from '../identity.ts';
import type { QueryApi } from '../query-protocol.ts';
import {
  actionOf,
  decodeCall,
  encodeFailure,
  encodeResult,
  isQueryRequest,
  QueryFailure,
} from '../query-protocol.ts';
import { operations } from './operations.ts';
import { emptyState } from './state.ts';
import type { Rds } from './state.ts';
import { RdsTasks } from './tasks.ts';

const api: QueryApi = {
  exported,
  version: '2014-10-31',
  xmlNamespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
};

/** RDS for MySQL and Aurora MySQL: behind each instance is a real server. */
export async function createRdsService(context: CloudContext): Promise<CloudService> {
  const rds: Rds = { context, store: await context.store('rds', structuredClone(emptyState)) };
  const tasks = new RdsTasks(rds);
  await tasks.resume();
  return {
    name: 'rds',
    matches: isQueryRequest,
    answer: async (request) => {
      try {
        return await answer(rds, tasks, request);
      } catch (error) {
        if (error instanceof QueryFailure) return encodeFailure(api, error);
        throw error;
      }
    },
    close: () => tasks.idle(),
  };
}

async function answer(rds: Rds, tasks: RdsTasks, request: CloudRequest): Promise<CloudResponse> {
  const action = actionOf(request);
  const fault = rds.context.faults.take('rds', action);
  if (fault !== null && fault.kind !== 'fail-operation') throw failureOf(fault);
  refuse(authenticate(request, 'rds'));
  const { input } = decodeCall(api, request);
  const operation = operations[action];
  if (operation === undefined) {
    throw new QueryFailure('InvalidAction', `the sandbox does not do ${action}`);
  }
  for (const resource of operation.resources(rds, input)) {
    refuse(authorize(request, 'rds', action, resource));
  }
  const output = await operation.run({ rds, tasks, failing: fault !== null }, input);
  // On disk before the answer, whatever changed.
  if (!/^(Describe|List)/.test(action)) await rds.store.save();
  return encodeResult(api, action, output);
}

function refuse(denied: Denied | null): void {
  if (denied !== null) throw new QueryFailure(denied.code, denied.message, denied.status);
}

function failureOf(fault: Fault): QueryFailure {
  const { kind, code } = fault;
  switch (kind) {
    case 'throttle':
      return new QueryFailure(code ?? 'Throttling', 'Rate exceeded');
    case 'conflict':
      return new QueryFailure(
        code ?? 'InvalidDBInstanceState',
        'Another operation is in progress on this resource',
      );
    case 'expired': {
      const denied = expiredToken('rds');
      return new QueryFailure(code ?? denied.code, denied.message, denied.status);
    }
    case 'refuse':
      return new QueryFailure(
        code ?? 'InvalidParameterCombination',
        'Refused',
        fault.status ?? 400,
      );
    case 'server-error':
    case 'fail-operation':
      return new QueryFailure(code ?? 'InternalFailure', 'An internal error has occurred', 500);
  }
}
