import type {
  DataMigrationService,
  ServiceView,
} from '../../clouds/azure/data-migration/service.ts';
import { isFailure, SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import type { DmsInput } from './dms.ts';
import {
  dmsConfig,
  isAtWork,
  isOnItsWay,
  isOurs,
  openService,
  ownTags,
  wantedLocation,
} from './dms.ts';
import { pauses } from './pausing.ts';

/** So many looks long Azure may not show what it has just taken on. */
const LOOKS_BEFORE_IT_SHOWS = 10;

/** Made, or adopted: by its tags when an earlier try made it, as it is when it was there before. */
export function serviceAct(input: DmsInput): Act {
  return {
    begin: async (signal) => {
      const service = await openService(input);
      const found = await service.find(signal);
      if (found !== null && !mustBeSent(input, found)) return { token: null };
      try {
        await send(input, service, signal);
      } catch (error) {
        // Sent, and its answer lost.
        if (!isFailure(error) || !(await isThere(service, signal))) throw error;
      }
      return { token: null };
    },
    complete: async (_begun, { signal, onProgress }) => {
      const service = await openService(input);
      const pause = pauses(signal);
      for (let looks = 0; ; looks++) {
        const found = await service.find(signal);
        if (found !== null && isAtWork(found)) return { note: thereNote(service, found) };
        if (found === null && looks >= LOOKS_BEFORE_IT_SHOWS) throw gone(service);
        if (found !== null && !isOnItsWay(found)) throw notAtWork(service, found);
        onProgress(`the service is ${found?.state ?? 'not shown yet'}`);
        await pause();
      }
    },
  };
}

/** One of ours whose making failed is asked for once more. */
function mustBeSent({ config }: DmsInput, found: ServiceView): boolean {
  return isOurs(config, found) && found.state === 'Failed';
}

async function send(
  input: DmsInput,
  service: DataMigrationService,
  signal: AbortSignal,
): Promise<void> {
  const { subnet } = dmsConfig(input.config);
  const location = await wantedLocation(input, signal);
  await service.create({ location, subnet, tags: ownTags(input.config, new Date()) }, signal);
}

async function isThere(service: DataMigrationService, signal: AbortSignal): Promise<boolean> {
  try {
    const found = await service.find(signal);
    return found !== null && (isAtWork(found) || isOnItsWay(found));
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error)) return false;
    throw error;
  }
}

function thereNote({ name }: DataMigrationService, { sku, location }: ServiceView): string {
  return `the migration service ${name} is there: ${sku} in ${location}`;
}

function gone({ name }: DataMigrationService): SkyferryFailure {
  return new SkyferryFailure('CLOUD_FAILED', `the migration service ${name} is not there`, {
    next: 'look at the resource group’s activity log; retry-phase makes it anew',
  });
}

function notAtWork({ name }: DataMigrationService, { state }: ServiceView): SkyferryFailure {
  return new SkyferryFailure('CLOUD_FAILED', `the migration service ${name} is ${state}`, {
    safe: 'nothing was copied',
    next:
      state === 'Failed'
        ? 'its activity log in Azure says why (subnet, quota, policy); mend that, then retry-phase asks for it once more'
        : `start it (az dms start --name ${name}), then retry-phase`,
  });
}
