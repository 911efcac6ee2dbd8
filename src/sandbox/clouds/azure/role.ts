/**
 * What Skyferry's service principal may do: the actions of the documented custom role, granted on the
 * resource groups of the server and of the zones. The fake denies everything else.
 */
export const skyferryRole: readonly string[] = [
  'Microsoft.DBforMySQL/flexibleServers/read',
  'Microsoft.DBforMySQL/flexibleServers/write',
  'Microsoft.DBforMySQL/flexibleServers/delete',
  'Microsoft.DBforMySQL/flexibleServers/restart/action',
  'Microsoft.DBforMySQL/flexibleServers/configurations/read',
  'Microsoft.DBforMySQL/flexibleServers/configurations/write',
  'Microsoft.DBforMySQL/flexibleServers/updateConfigurations/action',
  'Microsoft.DBforMySQL/flexibleServers/firewallRules/read',
  'Microsoft.DBforMySQL/flexibleServers/firewallRules/write',
  'Microsoft.DBforMySQL/flexibleServers/firewallRules/delete',
  'Microsoft.DBforMySQL/flexibleServers/databases/read',
  'Microsoft.DBforMySQL/flexibleServers/databases/write',
  'Microsoft.DBforMySQL/flexibleServers/databases/delete',
  'Microsoft.DBforMySQL/checkNameAvailability/action',
  'Microsoft.DBforMySQL/locations/checkNameAvailability/action',
  'Microsoft.DBforMySQL/locations/capabilities/read',
  'Microsoft.DBforMySQL/locations/azureAsyncOperation/read',
  'Microsoft.DBforMySQL/locations/operationResults/read',
  'Microsoft.Network/dnsZones/read',
  'Microsoft.Network/dnsZones/CNAME/read',
  'Microsoft.Network/dnsZones/CNAME/write',
  'Microsoft.Network/privateDnsZones/read',
  'Microsoft.Network/privateDnsZones/CNAME/read',
  'Microsoft.Network/privateDnsZones/CNAME/write',
];
