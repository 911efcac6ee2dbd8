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
  const { GetMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
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
  const command = new GetMetricDataCommand({
    StartTime: new Date(now - LOOK_BACK_MS),
    EndTime: new Date(now),
    ScanBy: 'TimestampDescending',
    MetricDataQueries: [
      {
        Id: 'free',
        MetricStat: {
          Metric: { Namespace: 'AWS/RDS', ...measured },
          Period: PERIOD_SECONDS,
          Stat: 'Minimum',
        },
      },
    ],
  });
  const doing = 'asking CloudWatch for free storage';
  const { MetricDataResults: [free] = [] } = await askAws(doing, signal, (options) =>
    client.send(command, options),
  );
  return free?.Values?.[0] ?? null;
}
