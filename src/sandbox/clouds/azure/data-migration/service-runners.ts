import type { Runner } from '../operations.ts';
import type { ServiceUpdateBody } from './schemas.ts';
import { skuOf } from './skus.ts';
import type { DataMigrations, KeptService, ServiceState } from './state.ts';
import { activeTasks, keyOf } from './state.ts';
import type { TaskRuns } from './task-runs.ts';

/** What is done to services when an operation's time has come. */
export function serviceRunners(kept: DataMigrations, runs: TaskRuns): Record<string, Runner> {
  const runner = (
    [after, afterFailure]: [ServiceState, ServiceState],
    act: (service: KeptService, data: unknown) => void = () => {},
  ): Runner => ({
    run: async (key, data) => {
      const service = kept.byKey(key);
      act(service, data);
      service.state = after;
      await kept.save();
    },
    fail: async (key) => {
      kept.byKey(key).state = afterFailure;
      await kept.save();
    },
  });
  return {
    'create-service': runner(['Succeeded', 'Failed']),
    'update-service': runner(['Succeeded', 'Succeeded'], (service, data) => {
      const { tags, sku, properties } = data as ServiceUpdateBody;
      if (tags !== undefined) service.tags = tags;
      if (sku?.name !== undefined) service.sku = { ...skuOf(sku.name) };
      if (properties?.virtualSubnetId !== undefined) service.subnet = properties.virtualSubnetId;
    }),
    'start-service': runner(['Succeeded', 'FailedToStart']),
    'stop-service': runner(['Stopped', 'FailedToStop']),
    'delete-service': {
      ...runner(['Succeeded', 'Succeeded']),
      run: async (key) => {
        // Told twice to go, it is gone already.
        const service = kept.all().find((candidate) => keyOf(candidate) === key);
        if (service === undefined) return;
        await Promise.all(activeTasks(service).map((task) => runs.cancel(task)));
        await kept.remove(key);
      },
    },
  };
}
