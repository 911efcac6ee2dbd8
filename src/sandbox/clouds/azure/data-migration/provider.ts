import type { CloudContext, CloudService } from '../../service.ts';
import { json } from '../arm-error.ts';
import { createArmService } from '../arm.ts';
import { Operations } from '../operations.ts';
import { projectRoutes } from './project-routes.ts';
import { API_VERSIONS, NAMESPACE } from './schemas.ts';
import { serviceRoutes } from './service-routes.ts';
import { serviceRunners } from './service-runners.ts';
import { serviceView } from './service-view.ts';
import { DataMigrations } from './state.ts';
import { taskRoutes } from './task-routes.ts';
import { TaskRuns } from './task-runs.ts';

/** Azure Database Migration Service (classic): its tasks really log in, and really move the rows. */
export async function createDataMigrationService(context: CloudContext): Promise<CloudService> {
  const kept = await DataMigrations.open(context);
  const runs = await TaskRuns.open(kept);
  const operations = await Operations.open(context, NAMESPACE, serviceRunners(kept, runs));
  return await createArmService(context, {
    namespace: NAMESPACE,
    routes: [
      ...serviceRoutes(kept, operations),
      ...projectRoutes(kept, runs),
      ...taskRoutes(kept, runs),
      ...operations.routes(API_VERSIONS, async (key) => json(200, serviceView(kept.byKey(key)))),
    ],
    close: async () => {
      await Promise.all([operations.close(), runs.close()]);
    },
  });
}
