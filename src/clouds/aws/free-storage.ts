import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { askAws } from './errors.ts';

const LOOK_BACK_MS = 15 * 60_000;
const PERIOD_SECONDS = 60;

/** Free bytes as CloudWatch last measured them, some minutes old; null: not measured. Throws CLOUD_…. */
export async function freeStorage(
  client: CloudWatchClient,
  server: { readonly instance: string } | { readonly cluster: string },
  signal: AbortSignal,
): Promise<number | null> {
  const { GetMetricStatisticsCommand } = await import('@aws-sdk/client-cloudwatch');
  const measured =
    'instance' in server
      ? {
          MetricName: 'FreeStorageSpace',
          Dimensions: [{ Name: 'DBInstanceIdentifier', Value: server.instance }],
        }
      : {
          MetricName: 'AuroraVolumeBytesLeftTotal',
          Dimensions: [{ Name: 'DBClusterIdentifier', Value: server.cluster }],
        };
  const now = Date.now();
  const command = new GetMetricStatisticsCommand({
    Namespace: 'AWS/RDS',
    ...measured,
    StartTime: new Date(now - LOOK_BACK_MS),
    EndTime: new Date(now),
    Period: PERIOD_SECONDS,
    Statistics: ['Minimum'],
  });
  const { Datapoints = [] } = await askAws(
    'asking CloudWatch for free storage',
    signal,
    (options) => client.send(command, options),
  );
  const latest = Datapoints.toSorted(
    (a, b) => (a.Timestamp?.getTime() ?? 0) - (b.Timestamp?.getTime() ?? 0),
  ).at(-1);
  return latest?.Minimum ?? null;
}
