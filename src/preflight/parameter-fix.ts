import type { LocatedConfig } from '../config/located.ts';

/** How a global variable of the target is set: by SQL, or where nobody may do so by Azure's interface. */
export function targetParameterFix(
  { target }: LocatedConfig,
  name: string,
  value: string | number,
): string {
  const azure = (group: string, server: string) =>
    `az mysql flexible-server parameter set -g ${group} -s ${server} -n ${name} --value '${value}'`;
  if (target.kind === 'azure-mysql-flexible') {
    return `target.parameters: { ${name}: '${value}' } with manage: [parameters], or: ${azure(target.resourceGroup, target.server)}`;
  }
  const literal = typeof value === 'number' ? String(value) : `'${value}'`;
  return `on the target: SET PERSIST ${name} = ${literal}; in Azure: ${azure('GROUP', 'SERVER')}`;
}
