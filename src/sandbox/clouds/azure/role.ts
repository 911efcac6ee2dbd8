/**
 * What Skyferry's service principal may do: the actions of the documented custom roles. The fake denies
 * everything else. This one is granted on the resource groups of the server and of the zones.
 */
export const skyferryRole: readonly string[] = [
  'Microsoft.DBforMySQL/flexibleServers/read',
  'Microsoft.DBforMySQL/flexibleServers/write',
  'Microsoft.DBforMySQL/flexibleServers/delete',
  'Microsoft.DBforMySQL/flexibleServers/restart/action',
  'Microsoft.DBforMySQL/flexibleServers/configurations/read',
  'Microsoft.DBforMySQL/flexibleServers/updateConfigurations/action',
  'Microsoft.DBforMySQL/flexibleServers/firewallRules/read',
  'Microsoft.DBforMySQL/flexibleServers/firewallRules/write',
  'Microsoft.DBforMySQL/flexibleServers/firewallRules/delete',
  'Microsoft.DBforMySQL/flexibleServers/databases/read',
  'Microsoft.Network/dnsZones/CNAME/read',
  'Microsoft.Network/dnsZones/CNAME/write',
  'Microsoft.Network/privateDnsZones/CNAME/read',
  'Microsoft.Network/privateDnsZones/CNAME/write',
];

/** Granted on the subscription: what a region offers and how an operation goes on stand in no group. */
export const skyferryRegionRole: readonly string[] = [
  'Microsoft.DBforMySQL/locations/capabilities/read',
  'Microsoft.DBforMySQL/locations/checkNameAvailability/action',
  'Microsoft.DBforMySQL/locations/azureAsyncOperation/read',
  'Microsoft.DBforMySQL/locations/operationResults/read',
];

/** Beside them, when the migration's engine is `azure-dms`: on the group of its migration service, and on the subnet. */
export const skyferryDataMigrationRole: readonly string[] = [
  'Microsoft.DataMigration/services/read',
  'Microsoft.DataMigration/services/write',
  'Microsoft.DataMigration/services/delete',
  'Microsoft.DataMigration/services/start/action',
  'Microsoft.DataMigration/services/stop/action',
  'Microsoft.DataMigration/services/checkStatus/action',
  'Microsoft.DataMigration/services/projects/read',
  'Microsoft.DataMigration/services/projects/write',
  'Microsoft.DataMigration/services/projects/delete',
  'Microsoft.DataMigration/services/projects/tasks/read',
  'Microsoft.DataMigration/services/projects/tasks/write',
  'Microsoft.DataMigration/services/projects/tasks/delete',
  'Microsoft.DataMigration/services/projects/tasks/cancel/action',
  'Microsoft.DataMigration/services/projects/tasks/command/action',
  'Microsoft.Network/virtualNetworks/subnets/join/action',
];
