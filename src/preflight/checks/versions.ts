import type { ServerFacts, SourceSide } from '../facts.ts';
import { check } from '../finding.ts';

const OLDEST = 80_000;

/** MariaDB's binlog has other events; before 8.0 the catalogue and the privileges are others. */
export const sourceVersionCheck = check<SourceSide>(
  'versions',
  'the version of the source is supported',
  ({ source }) => outcome(source),
);

export const versionsCheck = check(
  'versions',
  'both versions are supported',
  ({ source, target }) => [
    ...outcome(source),
    ...outcome(target),
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

function outcome({ role, version }: ServerFacts) {
  if (!version.mariadb && version.number >= OLDEST) return [];
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
