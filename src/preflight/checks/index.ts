import type { Check } from '../finding.ts';
import { binlogCheck } from './binlog.ts';
import { sourcePrivilegesCheck } from './source-privileges.ts';

/** In the order in which a person would look: servers, rights, binlog, schema, target, cutover. */
export const checks: readonly Check[] = [sourcePrivilegesCheck, binlogCheck];
