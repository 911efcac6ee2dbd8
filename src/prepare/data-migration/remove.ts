import type { DataMigrationService } from '../../clouds/azure/data-migration/service.ts';
import { isFailure, SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import type { DmsInput } from './dms.ts';
import { dmsServiceName, isOnItsWay, isOurs, openService } from './dms.ts';
import { pauses } from './pausing.ts';
import { describeDmsPrice } from './prices.ts';

type Look =
  | { readonly is: 'done'; readonly note: string }
  /** What was asked for just now. */
  | { readonly is: 'service' | 'project' }
  | { readonly is: 'deleting' }
  | { readonly is: 'busy'; readonly what: string };

/** So many looks long Azure may show what it was just told to remove as if nothing were. */
const LOOKS_BEFORE_IT_SHOWS = 5;

/** After the switch: service and project go, whoever was killed meanwhile. Deleting takes many minutes. */
export function removeAct(input: DmsInput): Act {
  return {
    begin: async (signal) => {
      await removeNext(input, await openService(input), signal);
      return { token: null };
    },
    complete: async (_begun, { signal, onProgress }) => ({
      note: await remove(input, signal, onProgress),
    }),
  };
}

/** Resolves with what is so once nothing of ours is left; safe to repeat. */
async function remove(
  input: DmsInput,
  signal: AbortSignal,
  onProgress: (step: string) => void,
): Promise<string> {
  const service = await openService(input);
  const pause = pauses(signal);
  for (let sent = 0, wasDeleting = false; ;) {
    const look = await removeNext(input, service, signal);
    if (look.is === 'done') return look.note;
    if (look.is === 'busy') onProgress(look.what);
    else {
      onProgress(`the ${look.is === 'project' ? 'project' : 'service'} is being removed`);
      if (look.is === 'deleting') wasDeleting = true;
      // Deleting it has failed, then.
      else if (wasDeleting || ++sent > LOOKS_BEFORE_IT_SHOWS) throw stays(service, look.is);
    }
    await pause();
  }
}

/** Looks, and asks for the one thing that comes next. */
async function removeNext(
  input: DmsInput,
  service: DataMigrationService,
  signal: AbortSignal,
): Promise<Look> {
  const look = await lookAround(input, service, signal);
  try {
    if (look.is === 'service') await service.remove(signal);
    if (look.is === 'project') await service.removeProject(input.config.name, signal);
    return look;
  } catch (error) {
    // Refused for now, or sent and its answer lost: the next look tells.
    if (!isFailure(error) || error.code !== 'CLOUD_BUSY') throw error;
    return { is: 'busy', what: error.message };
  }
}

async function lookAround(
  { config }: DmsInput,
  service: DataMigrationService,
  signal: AbortSignal,
): Promise<Look> {
  const { name } = service;
  const found = await service.find(signal);
  if (found === null)
    return { is: 'done', note: `the migration service ${name} is gone, with what was in it` };
  if (found.state === 'Deleting') return { is: 'deleting' };
  if (isOnItsWay(found)) return { is: 'busy', what: `the service is ${found.state}` };
  const others = (await service.projects(signal)).filter(
    (project) => !isSame(project, config.name),
  );
  if (isOurs(config, found) && others.length === 0) return { is: 'service' };
  const project = await service.findProject(config.name, signal);
  if (project !== null && isOurs(config, project)) return { is: 'project' };
  return { is: 'done', note: keptNote({ config, name, ours: isOurs(config, found), others }) };
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

interface Kept {
  readonly config: DmsInput['config'];
  readonly name: string;
  readonly ours: boolean;
  readonly others: readonly string[];
}

function keptNote({ config, name, ours, others }: Kept): string {
  const nothing = `nothing of this migration is left in the migration service ${name}`;
  if (!ours) return `${nothing}, which was there before`;
  return `${nothing}, which stays because others use it (${others.join(', ')}); it goes on costing ${describeDmsPrice(config)}`;
}

function stays({ name }: DataMigrationService, what: 'service' | 'project'): SkyferryFailure {
  return new SkyferryFailure(
    'CLOUD_FAILED',
    `Azure was told to remove ${what === 'service' ? 'the migration service' : 'the project in'} ${name}, and it is still there`,
    {
      safe: 'the migration itself needs it no more; it goes on costing money',
      next: `look at its activity log in Azure, or remove it yourself (az dms delete --name ${name} --delete-running-tasks true), then retry-phase`,
    },
  );
}

/** What abort does: service and project go without being told so, since nothing is in them, unless they are to be kept. */
export async function undoDataMigration(
  input: DmsInput,
  {
    signal,
    onProgress = () => {},
  }: { readonly signal: AbortSignal; readonly onProgress?: (step: string) => void },
): Promise<string[]> {
  const { config } = input;
  const service = await openService(input);
  const found = await service.find(signal);
  if (found === null) return [];
  if (config.azureDms?.keep !== true) return [await remove(input, signal, onProgress)];
  if (!isOurs(config, found)) return [];
  return [
    `kept the migration service ${dmsServiceName(config)}, as azureDms.keep says: it goes on costing ${describeDmsPrice(config)}; az dms delete removes it`,
  ];
}
