import { SkyferryFailure } from '../../failures.ts';
import type { Act } from '../act.ts';
import type { DmsInput } from './dms.ts';
import { PROJECT_ACT, REMOVE_ACT, SERVICE_ACT } from './dms.ts';
import { projectAct } from './project-act.ts';
import { removeAct } from './remove.ts';
import { serviceAct } from './service-act.ts';

const acts: Readonly<Record<string, (input: DmsInput) => Act>> = {
  [SERVICE_ACT]: serviceAct,
  [PROJECT_ACT]: projectAct,
  [REMOVE_ACT]: removeAct,
};

/** One of the acts that surveyDataMigration planned, by its name. */
export function dataMigrationAct(name: string, input: DmsInput): Act {
  const create = acts[name];
  if (create !== undefined) return create(input);
  throw new SkyferryFailure('INTERNAL', `no act of a migration service is called ${name}`);
}
