import type { ServerFacts } from '../facts.ts';
import { check } from '../finding.ts';

const ofSource = ['REPLICATION SLAVE', 'REPLICATION CLIENT'];
const ofTarget = ['REPLICATION_APPLIER', 'BINLOG_ADMIN', 'SUPER'];

/** The service logs in with the accounts of the migration itself. */
export const dmsPrivilegesCheck = check(
  'dms-privileges',
  'both accounts may do what Azure’s migration service does with them',
  ({ source, target }) => {
    const missing = ofSource.filter((privilege) => !source.grants.global(privilege));
    return [
      ...(missing.length > 0 ? [lacking(source, missing, missing)] : []),
      ...(ofTarget.some((privilege) => target.grants.global(privilege))
        ? []
        : [lacking(target, ['REPLICATION_APPLIER'], ['REPLICATION_APPLIER or BINLOG_ADMIN'])]),
      ...(target.grants.global('REPLICATION SLAVE')
        ? []
        : [
            {
              ...lacking(
                target,
                ['REPLICATION SLAVE'],
                ['REPLICATION SLAVE, which Azure asks for'],
              ),
              severity: 'warning' as const,
            },
          ]),
    ];
  },
);

function lacking({ role, user, account }: ServerFacts, grant: string[], words: string[]) {
  return {
    severity: 'blocker' as const,
    object: `${role} account ${user}`,
    found: `lacks ${words.join(', ')}`,
    fix: `GRANT ${grant.join(', ')} ON *.* TO ${account};`,
  };
}
