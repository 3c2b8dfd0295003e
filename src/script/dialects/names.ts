/** The engines that a script can be written for. */
export const SCRIPT_DIALECTS = ['sqlite', 'mysql', 'mariadb', 'postgresql'] as const;
export type ScriptDialectName = (typeof SCRIPT_DIALECTS)[number];
