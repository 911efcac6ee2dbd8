import { expect, test } from 'vitest';
import type { ServerView } from '../../../src/clouds/azure/flexible-server.ts';
import { nativeFindings } from '../../../src/prepare/target/native-findings.ts';
import { azureConfig } from './config.ts';

const server: ServerView = {
  host: 'shop-db.mysql.database.azure.com',
  state: 'Ready',
  location: 'eastus',
  version: '8.0.21',
  sku: 'Standard_D2ds_v4',
  tags: {},
  storageGb: 64,
  iops: null,
  autoGrow: true,
  highAvailability: 'Disabled',
  standbyState: 'NotEnabled',
  publicAccess: true,
  isInSubnet: false,
  geoRedundantBackup: false,
  administrator: 'shopadmin',
  replicationRole: 'None',
  maintenance: null,
  createdAt: null,
};
const codes = (patch: Partial<ServerView>, engine = 'native') =>
  nativeFindings(azureConfig({ create: undefined }, { engine }), { ...server, ...patch }).map(
    ({ code, severity }) => `${severity} ${code}`,
  );

test('a server that is there is refused for native replication where Azure does not replicate into it', () => {
  expect(codes({})).toEqual([]);
  expect(codes({ highAvailability: 'SameZone' })).toEqual(['blocker native-high-availability']);
  expect(codes({ publicAccess: false, isInSubnet: true })).toEqual([]);
  expect(codes({ publicAccess: false })).toEqual(['blocker native-private-endpoint']);
  expect(codes({ publicAccess: false }, 'built-in')).toEqual([]);
});
