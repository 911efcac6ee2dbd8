import type { AzureClients } from '../../clouds/azure/clients.ts';
import type { DnsLookup } from '../../clouds/dns/authoritative.ts';
import { azureCname } from './azure-cname.ts';
import type { AzureDnsSwitchOptions } from './azure-dns.ts';
import { fullName } from './cname-record.ts';
import { CnameSwitch } from './cname-switch.ts';
import type { Switch } from './switch.ts';

export interface AzurePrivateDnsSwitchOptions extends Omit<AzureDnsSwitchOptions, 'clients'> {
  readonly clients: Pick<AzureClients, 'privateDns'>;
  /** A DNS server inside the network, `address` or `address:port`. */
  readonly resolver?: string | undefined;
}

/**
 * A CNAME of a private zone. Nobody outside can ask for it: a resolver inside proves it, and where there
 * is none, the API alone.
 */
export function createAzurePrivateDnsSwitch(options: AzurePrivateDnsSwitchOptions): Switch {
  const { subscription, resourceGroup, zone, record, clients, dns, resolver } = options;
  const name = fullName(record, zone);
  const recordSets = async () => (await clients.privateDns(subscription)).recordSets;
  const cname = azureCname({
    what: `Azure private DNS record ${name}`,
    get: async (sending) =>
      await (await recordSets()).get(resourceGroup, zone, 'CNAME', record, sending),
    put: async (set, sending) =>
      await (await recordSets()).createOrUpdate(resourceGroup, zone, 'CNAME', record, set, sending),
    served: async (signal) => await askInside(dns, { resolver, zone, name }, signal),
  });
  return new CnameSwitch(cname, { ...options, name });
}

async function askInside(
  dns: DnsLookup,
  { resolver, zone, name }: { resolver: string | undefined; zone: string; name: string },
  signal: AbortSignal,
) {
  if (resolver !== undefined) return [await dns.askResolver(resolver, name, signal)];
  return dns.hasOwnServers ? await dns.askZone(zone, name, signal) : [];
}
