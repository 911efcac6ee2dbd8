import type { DataMigrationService } from '../../clouds/azure/data-migration/service.ts';
import { isFailure, SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import type { DmsInput } from './dms.ts';
import { isAtWork, isOurs, openService, ownTags } from './dms.ts';

/** The one that holds this migration's tasks; Azure answers when it is there. */
export function projectAct(input: DmsInput): Act {
  const { config } = input;
  const hasOurs = async (service: DataMigrationService, signal: AbortSignal) => {
    const found = await service.findProject(config.name, signal);
    if (found !== null && !isOurs(config, found)) throw taken(config.name, service);
    return found !== null;
  };
  return {
    begin: async (signal) => {
      const service = await openService(input);
      if (await hasOurs(service, signal)) return { token: null };
      const found = await service.find(signal);
      if (found === null || !isAtWork(found)) throw noService(service, found?.state);
      try {
        const tags = ownTags(config, new Date());
        await service.createProject(config.name, found.location, signal, tags);
      } catch (error) {
        // Done, and its answer lost; what is asked now tells.
        if (!isFailure(error) || !(await hasOurs(service, signal))) throw error;
      }
      return { token: null };
    },
    complete: async (_begun, { signal }) => {
      const service = await openService(input);
      if (!(await hasOurs(service, signal))) throw noProject(config.name, service);
      return { note: `the project ${config.name} is in the migration service ${service.name}` };
    },
  };
}

function taken(project: string, { name }: DataMigrationService): SkyferryFailure {
  return new SkyferryFailure(
    'CLOUD_UNAVAILABLE',
    `a project ${project} is in ${name} already, and this migration did not make it`,
    { safe: 'it was not touched', next: 'choose another azureDms.service' },
  );
}

function noService({ name }: DataMigrationService, state = 'not there'): SkyferryFailure {
  return new SkyferryFailure('CLOUD_FAILED', `the migration service ${name} is ${state}`, {
    next: 'retry-phase looks again and plans what is missing',
  });
}

function noProject(project: string, { name }: DataMigrationService): SkyferryFailure {
  return new SkyferryFailure(
    'CLOUD_FAILED',
    `Azure took the project ${project}, and it is not in ${name}`,
    { next: 'look at the service’s activity log, then retry-phase' },
  );
}
