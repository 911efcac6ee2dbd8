import * as vendor from '@aws-sdk/client-cloudwatch';
import { withConnection } from '../../../mysql/connection.ts';
import type { CloudContext, CloudRequest, CloudResponse, CloudService } from '../service.ts';
import type { SignedService } from './identity.ts';
import { authorize } from './identity.ts';
import { AwsJsonError, jsonError, jsonFault, jsonResult, parseInput } from './json-protocol.ts';
import { serverId } from './rds/server.ts';
import { arn, emptyState } from './rds/state.ts';
import type { Instance, Rds } from './rds/state.ts';
import { operationShapes } from './schema.ts';

const TARGET = 'GraniteServiceVersion20100801.';
const SIGNED: SignedService = 'monitoring';

/** Sets the scene: an instance or a cluster that is tagged so has that many bytes left. */
const FREE_STORAGE_TAG = 'sandbox:free-storage-bytes';
const AURORA_VOLUME_BYTES = 128 * 1024 ** 4;

/** What CloudWatch measures of RDS's instances, as far as a migration asks: now, without history. */
export async function createCloudWatch(context: CloudContext): Promise<CloudService> {
  const rds: Rds = { context, store: await context.store('rds', structuredClone(emptyState)) };
  return {
    name: 'cloudwatch',
    matches: ({ headers }) => headers['x-amz-target']?.startsWith(TARGET) === true,
    answer: async (request) => {
      const operation = (request.headers['x-amz-target'] ?? '').slice(TARGET.length);
      const fault = context.faults.take('cloudwatch', operation);
      if (fault !== null) return jsonFault(fault);
      try {
        return await answer(rds, request, operation);
      } catch (error) {
        if (!(error instanceof AwsJsonError)) throw error;
        return jsonError(error.status, error.code, error.message);
      }
    },
  };
}

async function answer(rds: Rds, request: CloudRequest, operation: string): Promise<CloudResponse> {
  const denied = authorize(request, SIGNED, operation, '*');
  if (denied !== null) throw new AwsJsonError(denied.code, denied.message, denied.status);
  const shapes = operationShapes(vendor, operation);
  if (shapes === null || (operation !== 'GetMetricData' && operation !== 'GetMetricStatistics')) {
    throw new AwsJsonError('UnknownOperationException', operation);
  }
  // Held to the package's schema of exactly that type; times are seconds since 1970 on the wire.
  const input: unknown = parseInput(request.body, shapes.input);
  return jsonResult(
    operation === 'GetMetricData'
      ? await metricData(rds, input as MetricDataInput)
      : await metricStatistics(rds, input as MetricStatisticsInput),
  );
}

type OnTheWire<T> = Omit<T, 'StartTime' | 'EndTime'> & {
  readonly StartTime: number;
  readonly EndTime: number;
};
type MetricDataInput = OnTheWire<vendor.GetMetricDataInput>;
type MetricStatisticsInput = OnTheWire<vendor.GetMetricStatisticsInput>;

async function metricData(rds: Rds, input: MetricDataInput): Promise<Record<string, unknown>> {
  const results: Record<string, unknown>[] = [];
  for (const { Id, MetricStat: wanted } of input.MetricDataQueries ?? []) {
    if (wanted?.Metric === undefined) {
      throw new AwsJsonError('ValidationError', 'the sandbox answers queries with a MetricStat');
    }
    const value = await measure(rds, wanted.Metric);
    results.push({
      Id,
      Label: wanted.Metric.MetricName,
      Timestamps: value === null ? [] : [lastPeriod(input.EndTime, wanted.Period)],
      Values: value === null ? [] : [value],
      StatusCode: 'Complete',
    });
  }
  return { MetricDataResults: results, Messages: [] };
}

async function metricStatistics(
  rds: Rds,
  input: MetricStatisticsInput,
): Promise<Record<string, unknown>> {
  const value = await measure(rds, input);
  const point = {
    Timestamp: lastPeriod(input.EndTime, input.Period),
    Unit: 'Bytes',
    ...Object.fromEntries((input.Statistics ?? []).map((statistic) => [statistic, value])),
  };
  return { Label: input.MetricName, Datapoints: value === null ? [] : [point] };
}

function lastPeriod(end: number, period: number | undefined): number {
  const seconds = period ?? 60;
  return Math.floor(Math.min(end, Date.now() / 1000) / seconds) * seconds;
}

/** Bytes; null: CloudWatch knows no such metric, which is no error there. */
async function measure(rds: Rds, metric: vendor.Metric): Promise<number | null> {
  const { instances, clusters } = rds.store.value;
  const dimension = (name: string) =>
    metric.Dimensions?.find(({ Name }) => Name === name)?.Value ?? '';
  if (metric.Namespace !== 'AWS/RDS') return null;
  if (metric.MetricName === 'AuroraVolumeBytesLeftTotal') {
    const cluster = clusters[dimension('DBClusterIdentifier')];
    return cluster === undefined
      ? null
      : (pretended(rds, arn(rds, 'cluster', cluster.id)) ?? AURORA_VOLUME_BYTES);
  }
  const instance = instances[dimension('DBInstanceIdentifier')];
  if (instance?.status !== 'available' || !rds.context.servers.has(serverId(instance))) return null;
  if (metric.MetricName === 'BinLogDiskUsage') return await binlogBytes(rds, instance);
  return metric.MetricName === 'FreeStorageSpace' ? await freeBytes(rds, instance) : null;
}

async function freeBytes(rds: Rds, instance: Instance): Promise<number> {
  const told = pretended(rds, arn(rds, 'db', instance.id));
  if (told !== null) return told;
  const used = (await tableBytes(rds, instance)) + (await binlogBytes(rds, instance));
  return instance.storage * 1024 ** 3 - used;
}

function pretended({ store }: Rds, resource: string): number | null {
  const bytes = store.value.tags[resource]?.[FREE_STORAGE_TAG];
  return bytes === undefined ? null : Number(bytes);
}

async function binlogBytes({ context }: Rds, instance: Instance): Promise<number> {
  if (instance.retention === 0) return 0;
  return await withConnection(
    context.servers.superuser(serverId(instance)),
    {},
    async (connection) => {
      const logs = await connection.query('SHOW BINARY LOGS');
      return logs.reduce((sum, { File_size: size }) => sum + Number(size), 0);
    },
  );
}

async function tableBytes({ context }: Rds, instance: Instance): Promise<number> {
  return await withConnection(
    context.servers.superuser(serverId(instance)),
    {},
    async (connection) => {
      const [row] = await connection.query(
        'SELECT SUM(FILE_SIZE) AS bytes FROM information_schema.INNODB_TABLESPACES',
      );
      return Number(row?.['bytes']);
    },
  );
}
