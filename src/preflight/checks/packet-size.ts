import { check } from '../finding.ts';
import { targetParameterFix } from '../parameter-fix.ts';

const NEEDED = 16 * 1024 * 1024;

/** A row must fit into a packet on its way in, and a batch into a few. */
export const packetSizeCheck = check(
  'packet-size',
  'the target takes packets as large as the source',
  ({ source, target, config }) => {
    const before = Number(source.variable('max_allowed_packet') ?? 0);
    const after = Number(target.variable('max_allowed_packet') ?? 0);
    if (after >= before && after >= NEEDED) return [];
    const needed = Math.max(before, NEEDED);
    return [
      {
        severity: after < before ? ('warning' as const) : ('info' as const),
        object: 'target max_allowed_packet',
        found: `is ${after}; on the source ${before}: a larger row stops the migration`,
        fix: targetParameterFix(config, 'max_allowed_packet', needed),
      },
    ];
  },
);
