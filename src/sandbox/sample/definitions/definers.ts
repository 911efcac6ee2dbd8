/** Owns the routines and triggers that the application calls: has to exist wherever it runs. */
export const owner = "'brokerage_owner'@'localhost'";
/** Holds SYSTEM_USER: a managed target's admin may not name it as a definer (1227). */
export const privileged = "'brokerage_dba'@'localhost'";
/** Never created: what is left when an account is dropped and its objects are not. */
export const missing = "'departed'@'%'";
