import type { Consistency, GtidMode, ServerSettings } from './server-settings.ts';
import { gtidModes } from './server-settings.ts';

/** One step on the way to GTIDs, with the check of statements that goes with it. */
export interface GtidStage {
  readonly gtidMode: GtidMode;
  readonly consistency: Consistency;
}

/**
 * MySQL takes one mode at a time, and ON only under a check that refuses statements without a GTID. The
 * check warns for at least one stage before it refuses, so that such statements are seen before they fail.
 */
export function gtidStages({
  gtidMode,
  consistency,
}: Pick<ServerSettings, 'gtidMode' | 'consistency'>): GtidStage[] {
  const modes = gtidModes.slice(gtidModes.indexOf(gtidMode) + 1);
  const stages = modes.map((mode): GtidStage => ({
    gtidMode: mode,
    consistency: mode === 'ON' || consistency === 'ON' ? 'ON' : 'WARN',
  }));
  if (consistency === 'OFF' && modes.length === 1) {
    return [{ gtidMode, consistency: 'WARN' }, ...stages];
  }
  return stages;
}

/** In the names of the acts that reach it: `on-permissive`. */
export function modeName(mode: GtidMode): string {
  return mode.toLowerCase().replaceAll('_', '-');
}

export function modeOfName(name: string): GtidMode | undefined {
  return gtidModes.find((mode) => modeName(mode) === name);
}
