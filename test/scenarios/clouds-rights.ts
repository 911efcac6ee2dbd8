import { skyferryPolicy } from '../../src/sandbox/clouds/aws/policy.ts';
import { skyferryRegionRole, skyferryRole } from '../../src/sandbox/clouds/azure/role.ts';

/**
 * Takes one of the documented rights away from Skyferry, in the clouds of this process; the answer grants
 * it again. AWS spells them `rds:RebootDBInstance`, Azure `Microsoft.DBforMySQL/flexibleServers/write`.
 */
export function revoke(right: string): () => void {
  const lists = [
    skyferryRole,
    skyferryRegionRole,
    ...skyferryPolicy.Statement.map(({ Action }) => Action),
  ];
  const list = lists.find((rights) => rights.includes(right)) as string[] | undefined;
  if (list === undefined) throw new Error(`nobody was granted ${right}`);
  const place = list.indexOf(right);
  list.splice(place, 1);
  return () => void list.splice(place, 0, right);
}
