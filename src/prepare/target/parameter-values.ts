import type { ParameterView } from '../../clouds/azure/flexible-server.ts';

export type Values = Readonly<Record<string, string>>;
export type Parameters = ReadonlyMap<string, ParameterView>;

/** The same setting, however the two sides write it: `1` and `ON`, or modes in another order. */
export function sameValue(name: string, one: string, other: string): boolean {
  return normal(name, one) === normal(name, other);
}

/** Why Azure would refuse it; null: it would not, as far as it says. */
export function refusal(name: string, value: string, listed: Parameters): string | null {
  const parameter = listed.get(name);
  if (parameter === undefined) return 'Azure has no such server parameter';
  if (sameValue(name, parameter.value, value)) return null;
  if (parameter.isReadOnly) return 'fixed on Azure';
  return isAllowed(name, value, parameter.allowed)
    ? null
    : `Azure allows ${parameter.allowed.slice(0, 120)}`;
}

/** Bounds of a numeric parameter; null where Azure names none. */
export function rangeOf(parameter: ParameterView): { min: number; max: number } | null {
  const [, min, max] = /^(-?\d+)-(\d+)$/.exec(parameter.allowed) ?? [];
  return min === undefined || max === undefined ? null : { min: Number(min), max: Number(max) };
}

/** Modes that Azure's list does not have are left out, e.g. NO_AUTO_CREATE_USER of 5.7. */
export function modesThatExist(value: string, allowed: string): string {
  if (allowed === '') return value;
  const known = new Set(allowed.toUpperCase().split(','));
  return members(value)
    .filter((mode) => known.has(mode))
    .join(',');
}

function isAllowed(name: string, value: string, allowed: string): boolean {
  const [, min, max] = /^(-?\d+)-(\d+)$/.exec(allowed) ?? [];
  if (min !== undefined && max !== undefined) {
    return /^-?\d+$/.test(value) && Number(value) >= Number(min) && Number(value) <= Number(max);
  }
  // Anything else than a plain list (time zones come as a pattern) is left to Azure's own answer.
  if (!/^[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*$/.test(allowed)) return true;
  const known = new Set(allowed.toUpperCase().split(','));
  const wanted = name === 'sql_mode' ? members(value) : [value.toUpperCase()];
  return wanted.every((one) => known.has(one));
}

function normal(name: string, value: string): string {
  if (name === 'sql_mode') return members(value).sort().join(',');
  const upper = value.trim().toUpperCase();
  if (upper === 'ON' || upper === 'TRUE') return '1';
  if (upper === 'OFF' || upper === 'FALSE') return '0';
  return upper === 'UTF8' ? 'UTF8MB3' : upper;
}

function members(value: string): string[] {
  return value
    .toUpperCase()
    .split(',')
    .map((mode) => mode.trim())
    .filter((mode) => mode !== '');
}
