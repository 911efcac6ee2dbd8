import { check } from '../finding.ts';

const needed = [
  'SYSTEM_VARIABLES_ADMIN',
  'CONNECTION_ADMIN',
  'PROCESS',
  'XA_RECOVER_ADMIN',
  'REPLICATION CLIENT',
];

/** Without a fence that is proved to hold, "nothing lost" would be a hope. */
export const fenceCheck = check(
  'fence',
  'writes on the source can be stopped, and proved to have stopped',
  async ({ fence, config, source }) => {
    if (fence === undefined) {
      return [
        {
          severity: 'blocker' as const,
          object: 'source.fence',
          found: config.source.fence === undefined ? 'is not configured' : 'cannot log in',
          fix: `CREATE USER …; GRANT ${needed.join(', ')} ON *.* TO that account; name it in source.fence`,
        },
      ];
    }
    const missing = needed.filter((privilege) => !fence.grants.global(privilege));
    const prepared = missing.includes('XA_RECOVER_ADMIN')
      ? []
      : await fence.connection.query('XA RECOVER');
    const readOnly = ['read_only', 'super_read_only'].filter(
      (name) => source.variable(name) === 'ON',
    );
    return [
      ...(readOnly.length > 0
        ? [
            {
              severity: 'blocker' as const,
              object: `source ${readOnly.join(', ')}`,
              found: 'is ON: whose fence it is cannot be told, and the cutover would not lift it',
              fix: 'SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF;',
            },
          ]
        : []),
      ...(missing.length > 0
        ? [
            {
              severity: 'blocker' as const,
              object: `fence account ${fence.user}`,
              found: `lacks ${missing.join(', ')}`,
              fix: `GRANT ${missing.join(', ')} ON *.* TO '${fence.user}'@'%';`,
            },
          ]
        : []),
      ...(prepared.length > 0
        ? [
            {
              severity: 'warning' as const,
              object: `${prepared.length} prepared XA transactions`,
              found: 'can be committed under the fence, so the cutover refuses while there are any',
              fix: 'XA RECOVER; then XA COMMIT or XA ROLLBACK each',
            },
          ]
        : []),
    ];
  },
);
