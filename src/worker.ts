import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createClouds } from './clouds/clouds.ts';
import { createActivities } from './activities/create.ts';
import { createSecretResolver } from './config/secrets.ts';
import type { SwitchCommands } from './cutover/switches/command.ts';
import { loadSwitchCommands } from './cutover/switches/command.ts';
import { useNameServers } from './mysql/name-resolution.ts';
import { workflowCode } from './workflow-bundle.ts';
import { createWorkerLog } from './worker-log.ts';
import { TASK_QUEUE } from './workflows/messages.ts';

export interface WorkerOptions {
  /** Files that `${file:…}` references may name lie below it. */
  readonly secretsDirectory?: string;
  /** JSON: the programs that `command` switches may run. */
  readonly commandsFile?: string;
  /** Files that `file` switches may change lie below these. */
  readonly switchDirectories: readonly string[];
  /** `host:port` for Prometheus. */
  readonly metricsAddress?: string;
}

/**
 * What a running activity may still finish after SIGTERM; then it is cancelled, and another worker goes
 * on from the checkpoint. The rest until the force time is for letting go of its connections.
 */
const GRACE = '5s';
const FORCE = '20s';

/** Polls until SIGTERM or SIGINT. Connects as Temporal's own CLI does: its profiles and TEMPORAL_* count. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  Runtime.install({
    logger: createWorkerLog(process.env['SKYFERRY_LOG_LEVEL'] ?? 'info'),
    shutdownSignals: ['SIGTERM', 'SIGINT'],
    ...(options.metricsAddress !== undefined && {
      telemetryOptions: { metrics: { prometheus: { bindAddress: options.metricsAddress } } },
    }),
  });
  useNameServers(process.env['SKYFERRY_DNS_SERVERS']);
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const [connection, code] = await Promise.all([
    NativeConnection.connect(connectionOptions),
    workflowCode(),
  ]);
  try {
    const worker = await createWorker(options, { connection, namespace, code });
    await worker.run();
  } finally {
    await connection.close();
  }
}

export interface WorkerEnvironment {
  readonly connection: NativeConnection;
  readonly namespace: string;
  /** The workflow bundle. */
  readonly code: string;
  readonly taskQueue?: string;
  readonly now?: () => Date;
  readonly env?: NodeJS.ProcessEnv;
  /** PEM of the authority of the clouds' endpoints, where NODE_EXTRA_CA_CERTS comes too late. */
  readonly cloudsCa?: string;
}

/** The one place where everything meets. The caller runs the worker and closes the connection. */
export async function createWorker(
  { secretsDirectory, commandsFile, switchDirectories }: WorkerOptions,
  { connection, namespace, code, ...given }: WorkerEnvironment,
): Promise<Worker> {
  const switchCommands: SwitchCommands =
    commandsFile === undefined ? {} : await loadSwitchCommands(commandsFile);
  const env = given.env ?? process.env;
  return await Worker.create({
    connection,
    namespace,
    taskQueue: given.taskQueue ?? TASK_QUEUE,
    workflowBundle: { code },
    activities: createActivities({
      secrets: createSecretResolver({ secretsDirectory, env }),
      clouds: createClouds({ env, ...(given.cloudsCa !== undefined && { ca: given.cloudsCa }) }),
      now: given.now ?? (() => new Date()),
      switchDirectories,
      switchCommands,
      searchAttributes: async () => {
        const { customAttributes } = await connection.operatorService.listSearchAttributes({
          namespace,
        });
        return Object.keys(customAttributes);
      },
    }),
    shutdownGraceTime: GRACE,
    shutdownForceTime: FORCE,
    // Live progress, and how soon a cancellation arrives, are as old as the last heartbeat.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    // What a lost worker had cached waits so long for it before another one replays it. The source may be
    // fenced meanwhile, and a replay takes milliseconds.
    stickyQueueScheduleToStartTimeout: '1s',
  });
}
