import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

const NAMES = 'lower_case_table_names';
const instead = 'set engine: built-in';

/** What is fixed when a server is made, so it is said before one is. */
export const nativeServersCheck = check<SourceSide>(
  'native-servers',
  'the two servers can replicate',
  ({ source, target, config }) => {
    const before = source.variable(NAMES) ?? '0';
    const after = target.variable(NAMES) ?? '0';
    const create = config.target.kind === 'azure-mysql-flexible' ? config.target.create : undefined;
    const available = create?.highAvailability ?? 'disabled';
    return [
      ...(before === after
        ? []
        : [
            {
              severity: 'blocker' as const,
              object: NAMES,
              found: `is ${before} on the source and ${after} on the target: MySQL's replication would not find the tables`,
              fix: `${instead}: neither value can be changed any more`,
            },
          ]),
      ...(available === 'disabled'
        ? []
        : [
            {
              severity: 'blocker' as const,
              object: 'target.create.highAvailability',
              found: `is ${available}: Azure replicates into such a server by GTID only, which would need its GTIDs to be reset`,
              fix: `${instead}, or highAvailability: disabled until the migration has ended`,
            },
          ]),
    ];
  },
);
