import { check } from '../finding.ts';

/** Free space cannot be read by SQL: the size that is needed is said instead. */
export const diskCheck = check('disk', 'the target has room', ({ catalog }) => {
  const bytes = catalog.tables.reduce((total, table) => total + table.estimatedBytes, 0);
  const gigabytes = (n: number) => Math.max(0.1, n / 1e9).toFixed(1);
  return [
    {
      severity: 'info' as const,
      object: 'target storage',
      found: `must hold ~${gigabytes(bytes)} GB of data and indexes, and the binlog that loading them writes (~${gigabytes(bytes)} GB more until it expires); free space cannot be read by SQL`,
    },
  ];
});
