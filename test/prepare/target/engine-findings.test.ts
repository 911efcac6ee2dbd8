import { expect, test } from 'vitest';
import type { Finding } from '../../../src/preflight/finding.ts';
import type { ServerView } from '../../../src/clouds/azure/flexible-server.ts';
import { engineFindings } from '../../../src/prepare/target/engine-findings.ts';
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
const named = ({ code, severity }: Finding) => `${severity} ${code}`;
/** Whichever engine is in use. */
const codes = (patch: Partial<ServerView>) =>
  engineFindings(azureConfig({ create: undefined }), { ...server, ...patch }).native?.map(named);

test('a server that is there is refused for native replication where Azure does not replicate into it', () => {
  expect(codes({})).toEqual([]);
  expect(codes({ highAvailability: 'SameZone' })).toEqual(['blocker native-high-availability']);
  expect(codes({ publicAccess: false, isInSubnet: true })).toEqual([]);
  expect(codes({ publicAccess: false })).toEqual(['blocker native-private-endpoint']);
});

test('a target that restarts before the window is refused for azure-dms, whose tasks would die', () => {
  const azureDms = {
    subnet:
      '/subscriptions/1/resourceGroups/shop/providers/Microsoft.Network/virtualNetworks/v/subnets/s',
  };
  const sized = (sku: object, found: ServerView | null) =>
    engineFindings(azureConfig({ sku }, { azureDms }), found)['azure-dms']?.map(named);
  const [small, large] = ['Standard_D2ds_v4', 'Standard_D8ds_v4'];
  expect(sized({ load: large, run: small }, null)).toEqual(['blocker dms-resize']);
  expect(sized({ run: small }, null)).toEqual([]);
  // One that was there loads as it is.
  expect(sized({ run: large }, server)).toEqual(['blocker dms-resize']);
  expect(sized({ run: small }, server)).toEqual([]);
});
