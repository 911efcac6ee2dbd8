import type { DBInstance } from '@aws-sdk/client-rds';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { withConnection } from '../../../../src/mysql/connection.ts';
import type { Endpoint } from '../../../../src/mysql/endpoint.ts';
import { useNameServers } from '../../../../src/mysql/name-resolution.ts';
import type { AccessKey } from '../../../../src/sandbox/clouds/aws/identity.ts';
import { sandboxUsers } from '../../../../src/sandbox/clouds/aws/identity.ts';
import type { TestClouds } from '../../../clouds.ts';
import { startClouds } from '../../../clouds.ts';

/** For instances of these tests. */
export const PASSWORD = 'Correct-Horse-9';

/** RDS through its unmodified client, which sends everything once. */
export interface RdsScene {
  readonly clouds: TestClouds;
  readonly administrator: RDSClient;
  readonly skyferry: RDSClient;
  client(key: AccessKey): RDSClient;
  describe(id: string): Promise<DBInstance>;
  /** Every status on the way to `available`, which it ends with. */
  statesUntilAvailable(id: string): Promise<string[]>;
  settled(id: string): Promise<DBInstance>;
  /** The master user's. */
  login(instance: DBInstance): Endpoint;
  /** Global variables of the real server. */
  globals(instance: DBInstance, names: readonly string[]): Promise<string[]>;
  stop(): Promise<void>;
}

export async function openScene(): Promise<RdsScene> {
  const clouds = await startClouds();
  useNameServers(clouds.env['SKYFERRY_DNS_SERVERS']);
  const client = (credentials: AccessKey) =>
    new RDSClient({
      endpoint: clouds.url,
      region: 'eu-central-1',
      credentials,
      maxAttempts: 1,
      requestHandler: { httpsAgent: { ca: clouds.ca } },
    });
  const administrator = client(sandboxUsers.administrator);
  const describe = async (id: string) => {
    const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: id });
    const { DBInstances } = await administrator.send(command);
    return DBInstances?.[0] ?? {};
  };
  const statesUntilAvailable = async (id: string) => {
    const states: string[] = [];
    for (;;) {
      const { DBInstanceStatus: status = '' } = await describe(id);
      if (states.at(-1) !== status) states.push(status);
      if (status === 'available') return states;
      if (status === 'failed') throw new Error(`${id} failed after ${states.join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  const login = ({ Endpoint: endpoint }: DBInstance): Endpoint => ({
    host: endpoint?.Address ?? '',
    port: endpoint?.Port ?? 0,
    user: 'admin',
    password: PASSWORD,
    tls: { mode: 'verify-identity', ca: clouds.ca },
  });
  return {
    clouds,
    administrator,
    skyferry: client(sandboxUsers.skyferry),
    client,
    describe,
    statesUntilAvailable,
    settled: async (id) => {
      await statesUntilAvailable(id);
      return await describe(id);
    },
    login,
    globals: (instance, names) =>
      withConnection(login(instance), {}, async (connection) => {
        const [row = {}] = await connection.query(
          `SELECT ${names.map((name) => `@@GLOBAL.${name} AS ${name}`).join(', ')}`,
        );
        return names.map((name) => String(row[name]));
      }),
    stop: async () => {
      useNameServers(undefined);
      await clouds.stop();
    },
  };
}
