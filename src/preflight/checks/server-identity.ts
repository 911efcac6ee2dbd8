import { check } from '../finding.ts';

/** Two names can lead to one server: its UUID cannot be two. */
export const serverIdentityCheck = check(
  'server-identity',
  'source and target are two servers, each with an id',
  ({ source, target }) => {
    const same = source.variable('server_uuid') === target.variable('server_uuid');
    return [
      ...(same
        ? [
            {
              severity: 'blocker' as const,
              object: 'target',
              found: 'is the same server as the source (equal server_uuid)',
              fix: 'correct source.host or target.host; a server cloned with its data needs a new auto.cnf',
            },
          ]
        : []),
      ...(source.variable('server_id') === '0'
        ? [
            {
              severity: 'blocker' as const,
              object: 'source server_id',
              found: 'is 0: the server refuses to send its binlog',
              fix: 'SET PERSIST server_id = 1;',
            },
          ]
        : []),
    ];
  },
);
