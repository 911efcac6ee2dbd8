import { z } from 'zod';

/** Values that stand in more than one place of a configuration. */
export const secret = z
  .string()
  .regex(/^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+|aws-secret:[^#}]+(#[^}]+)?)\}$/, {
    error:
      'must be a reference, ${env:NAME}, ${file:path} or ${aws-secret:name#key}: secrets are never written here',
  })
  .describe(
    'A reference, ${env:NAME}, ${file:path} or ${aws-secret:name#key}; resolved on the worker only when it is used',
  )
  .meta({ secret: true });

export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, { error: 'must be a duration such as 500ms, 5s, 10m, 4h, 2d' })
  .describe('A duration: 500ms, 5s, 10m, 4h, 2d');

export function durationUpTo(limit: string) {
  return duration.refine((text) => durationMs(text) <= durationMs(limit), {
    error: `must be at most ${limit}`,
  });
}

export const account = z.strictObject({ user: z.string().min(1).max(32), password: secret });

export const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'must be a region such as us-east-1' }); // prettier-ignore

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a validated duration. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}
