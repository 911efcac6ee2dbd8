/** Owns the routines and triggers that the application calls: has to exist wherever it runs. */
export const ownerDefiner = { user: 'brokerage_owner', host: 'localhost' } as const;
/** Holds SYSTEM_USER: a managed target's admin may not name it as a definer (1227). */
export const privilegedDefiner = { user: 'brokerage_dba', host: 'localhost' } as const;
/** Never created: what is left when an account is dropped and its objects are not. */
export const missingDefiner = { user: 'departed', host: '%' } as const;

export const owner = account(ownerDefiner);
export const privileged = account(privilegedDefiner);
export const missing = account(missingDefiner);

export function account({ user, host }: { user: string; host: string }): string {
  return `'${user}'@'${host}'`;
}
