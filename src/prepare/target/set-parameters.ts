import type { FlexibleServer, ServerView } from '../../clouds/azure/flexible-server.ts';
import type { Waiting } from '../../clouds/azure/operations.ts';
import { readRegion } from '../../clouds/azure/region.ts';
import type { MigrationConfig } from '../../config/schema.ts';
import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import type { Look } from './converge.ts';
import { busyServer, convergingAct, mustFind } from './converge.ts';
import type { Parameters, Values } from './parameter-values.ts';
import { sameValue } from './parameter-values.ts';
import { differing, finalValues, loadValues, runValues } from './parameters.ts';
import type { TargetInput } from './target.ts';
import {
  AZURE_PORT,
  azureTarget,
  FINAL_PARAMETERS,
  isMadeBy,
  isOurs,
  refuseUnmanaged,
  SOURCE_SCHEDULER,
} from './target.ts';

export type ParameterMoment = 'load' | 'run' | 'final';

/** Only what differs is sent, all of it in one operation; then the server itself is asked. */
export function parametersAct(
  input: TargetInput,
  server: FlexibleServer,
  moment: ParameterMoment,
): Act {
  return convergingAct({
    server,
    look: async (signal) => {
      const found = await mustFind(server, signal);
      const busy = busyServer(found);
      if (busy !== null) return busy;
      const listed = await server.parameters(signal);
      const wanted = await wantedValues(input, { server: found, listed, moment, signal });
      const next = nextStep(wanted, listed);
      if (next === null) return { is: 'as-wanted', note: noteOf(wanted, moment), server: found };
      if (!isOwn(input.config, found, moment)) refuseUnmanaged(input.config, found, 'parameters');
      return next;
    },
    prove: async (found, waiting) => {
      const listed = await server.parameters(waiting.signal);
      const { signal } = waiting;
      const wanted = await wantedValues(input, { server: found, listed, moment, signal });
      return await readBack(input, found, wanted, waiting);
    },
  });
}

/** The last ones are put back when it is handed over already. */
function isOwn(config: MigrationConfig, server: ServerView, moment: ParameterMoment): boolean {
  return moment === 'final' ? isMadeBy(config, server) : isOurs(config, server);
}

interface Moment {
  readonly server: ServerView;
  readonly listed: Parameters;
  readonly moment: ParameterMoment;
  readonly signal: AbortSignal;
}

async function wantedValues(
  { config, clients, source, formers }: TargetInput,
  { server, listed, moment, signal }: Moment,
): Promise<Values> {
  const target = azureTarget(config);
  if (moment === 'load') return loadValues({ target, source, listed });
  const former = isOwn(config, server, moment) ? null : (formers['azure/load-parameters'] ?? {});
  const restoring = { target, source, listed, former, memoryMb: null };
  if (moment === 'final') {
    const eventsRan = formers[FINAL_PARAMETERS]?.[SOURCE_SCHEDULER] === 'ON';
    return finalValues({ ...restoring, eventsRan });
  }
  const region = await readRegion(
    await clients.mysql(target.subscription),
    server.location,
    signal,
  );
  const memory = (sku: string) => region.sku(server.version, sku)?.memoryMb ?? 0;
  const runMemory = memory(target.sku?.run ?? server.sku);
  const shrinks = runMemory > 0 && runMemory < memory(server.sku);
  return runValues({ ...restoring, memoryMb: shrinks ? runMemory : null });
}

/** GTIDs are turned on one step at a time, and only once nothing violates them. */
const gtidSteps = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];

function nextStep(wanted: Values, listed: Parameters): Look | null {
  const { gtid_mode: gtid, ...others } = differing(wanted, listed);
  if (Object.keys(others).length > 0) return setting(others);
  if (gtid !== undefined) {
    const now = gtidSteps.indexOf(listed.get('gtid_mode')?.value ?? '');
    return setting({ gtid_mode: gtidSteps[now + 1] ?? gtid });
  }
  const pending = Object.keys(wanted).filter((name) => listed.get(name)?.isPendingRestart === true);
  if (pending.length === 0) return null;
  return {
    is: 'to-do',
    step: `restart for ${pending.join(', ')}`,
    operation: () => ({ kind: 'restart-server' }),
  };
}

function setting(values: Values): Look {
  return {
    is: 'to-do',
    step: `set ${listValues(values)}`,
    operation: () => ({ kind: 'set-parameters', values }),
  };
}

export function listValues(values: Values): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

function noteOf(wanted: Values, moment: ParameterMoment): string {
  const count = Object.keys(wanted).length;
  switch (moment) {
    case 'load':
      return `${count} parameters are set for the load`;
    case 'run':
      return 'parameters that only made the load faster are as they are to be';
    case 'final':
      return 'parameters that the migration borrowed are as they are to be';
  }
}

/** The control plane states what was asked for; the server, what is so. */
async function readBack(
  input: TargetInput,
  { host }: ServerView,
  wanted: Values,
  { signal, onProgress }: Waiting,
): Promise<string> {
  const names = Object.keys(wanted);
  if (names.length === 0) return 'nothing to read back';
  onProgress('reading the parameters back');
  await using connection = await input.openTarget({ host, port: AZURE_PORT }, signal);
  const rows = await connection.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  const values = new Map(
    rows.map((row) => {
      const [name, value] = Object.values(row);
      return [String(name), String(value)] as const;
    }),
  );
  // Azure has parameters of its own that are no variables, e.g. audit_log_enabled.
  const wrong = names.filter((name) => {
    const value = values.get(name);
    return value !== undefined && !sameValue(name, value, wanted[name] ?? '');
  });
  if (wrong.length === 0) return `${values.size} read back from the server`;
  throw new SkyferryFailure(
    'CLOUD_FAILED',
    `the server does not have what Azure says it has: ${wrong.map((name) => `${name} is ${values.get(name)}, not ${wanted[name]}`).join(', ')}`,
    {
      next: 'restart the server if one of them needs it (az mysql flexible-server restart), then retry',
    },
  );
}
