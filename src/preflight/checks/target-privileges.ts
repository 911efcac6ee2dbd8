import { check } from '../finding.ts';
import { missingOnSchemas } from '../missing-grants.ts';

const ofSchema = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'ALTER',
  'INDEX',
  'REFERENCES',
  'CREATE VIEW',
  'SHOW VIEW',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'EVENT',
  'TRIGGER',
];
const ofCheckpoint = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP'];
/** BINLOG statements need the first, switching generated keys off the second. */
const ofServer = ['REPLICATION_APPLIER', 'SESSION_VARIABLES_ADMIN'];

export const targetPrivilegesCheck = check(
  'target-privileges',
  'the target account may make, fill and index what it must',
  ({ target, config }) => {
    const { grants, user, account } = target;
    const spelled = (schema: string) =>
      target.variable('lower_case_table_names') === '1' ? schema.toLowerCase() : schema;
    const server = ofServer.filter((privilege) => !grants.global(privilege));
    return [
      ...(server.length > 0
        ? [
            {
              severity: 'blocker' as const,
              object: `target account ${user}`,
              found: `lacks ${server.join(', ')}`,
              fix: `GRANT ${server.join(', ')} ON *.* TO ${account};`,
            },
          ]
        : []),
      ...[
        ...missingOnSchemas(grants, ofSchema, config.schemas.map(spelled), account),
        ...missingOnSchemas(grants, ofCheckpoint, ['skyferry'], account),
      ].map(({ schema, missing, fix }) => ({
        severity: 'blocker' as const,
        object: `target account ${user} on ${schema}`,
        found: `lacks ${missing.join(', ')}`,
        fix,
      })),
    ];
  },
);
