import type { SourceSide } from '../facts.ts';
import { check } from '../finding.ts';
import { missingOnSchemas } from '../missing-grants.ts';

const ofSchema = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT'];
const ofServer = ['REPLICATION SLAVE', 'REPLICATION CLIENT'];

/** Without SHOW VIEW, TRIGGER, EVENT or SHOW_ROUTINE the catalogue answers with nothing, not with an error. */
export const sourcePrivilegesCheck = check<SourceSide>(
  'source-privileges',
  'the source account sees everything it must copy',
  ({ source, config, catalog }) => {
    const { grants, user, account } = source;
    const server = ofServer.filter((privilege) => !grants.global(privilege));
    const seesRoutines = grants.global('SHOW_ROUTINE') || grants.global('SELECT');
    const keyless = catalog.tables.filter((table) => table.rowKey === null);
    const lockable = new Set(keyless.map((table) => table.name.schema));
    return [
      ...(server.length > 0
        ? [
            {
              severity: 'blocker' as const,
              object: `source account ${user}`,
              found: `lacks ${server.join(', ')}`,
              fix: `GRANT ${server.join(', ')} ON *.* TO ${account};`,
            },
          ]
        : []),
      ...(seesRoutines
        ? []
        : [
            {
              severity: 'blocker' as const,
              object: `source account ${user}`,
              found: 'lacks SHOW_ROUTINE, and SELECT on everything, which shows routines too',
              fix: `GRANT SHOW_ROUTINE ON *.* TO ${account}; where nobody may grant that (RDS for MySQL): GRANT SELECT ON *.* TO ${account};`,
            },
          ]),
      ...missingOnSchemas(grants, ofSchema, config.schemas, account).map(
        ({ schema, missing, fix }) => ({
          severity: 'blocker' as const,
          object: `source account ${user} on ${schema}`,
          found: `lacks ${missing.join(', ')}`,
          fix,
        }),
      ),
      ...(lockable.size > 0
        ? missingOnSchemas(grants, ['LOCK TABLES'], [...lockable], account).map(
            ({ schema, fix }) => ({
              severity: 'blocker' as const,
              object: `source account ${user} on ${schema}`,
              found: `lacks LOCK TABLES, which tables without a key need for the milliseconds of their snapshot: ${keyless
                .filter((table) => table.name.schema === schema)
                .map((table) => table.name.name)
                .join(', ')}`,
              fix,
            }),
          )
        : []),
    ];
  },
);
