import type { RunningResource } from './act.ts';
import type { CloudsJob } from './clouds-job.ts';
import { openService, usesDms } from './data-migration/dms.ts';
import { runningService } from './data-migration/survey.ts';
import { runningServer } from './target/survey.ts';
import { azureTarget, openServer } from './target/target.ts';

/** What is there of the target's side and costs money now, whatever was planned. Changes nothing. */
export async function runningOnTarget(
  { config, azure }: Pick<CloudsJob, 'config' | 'azure'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<RunningResource[]> {
  if (config.target.kind === 'mysql') return [];
  const server = await (await openServer(config, azure)).find(signal);
  const running = runningServer(azureTarget(config), server);
  if (!usesDms(config)) return running;
  const service = await (await openService({ config, clients: azure })).find(signal);
  return service === null ? running : [...running, runningService(config, service)];
}
