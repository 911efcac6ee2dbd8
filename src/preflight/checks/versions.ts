import type { ServerFacts } from '../facts.ts';
import { check } from '../finding.ts';

const OLDEST_SOURCE = 80_000;
const OLDEST_TARGET = 80_000;

/** MariaDB's binlog has other events; before 8.0 the catalogue and the privileges are others. */
export const versionsCheck = check(
  'versions',
  'both versions are supported',
  ({ source, target }) => [
    ...outcome(source, OLDEST_SOURCE),
    ...outcome(target, OLDEST_TARGET),
    ...(Math.floor(target.version.number / 100) < Math.floor(source.version.number / 100)
      ? [
          {
            severity: 'warning' as const,
            object: `target ${target.version.text}`,
            found: `is older than the source (${source.version.text}): what only the newer one knows is refused there`,
            fix: 'choose a target of the same or a newer series',
          },
        ]
      : []),
  ],
);

function outcome({ role, version }: ServerFacts, oldest: number) {
  if (!version.mariadb && version.number >= oldest) return [];
  return [
    {
      severity: 'blocker' as const,
      object: `${role} ${version.text}`,
      found: version.mariadb
        ? 'is MariaDB, which this version does not carry'
        : 'is older than MySQL 8.0',
      fix: 'upgrade the server to MySQL 8.0 or newer',
    },
  ];
}
