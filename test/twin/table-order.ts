/** Settings under which no index decides in which order rows are found. Plans that were made before are made again. */
const BY_INDEX = ['indexscan', 'indexonlyscan', 'bitmapscan'].map((each) => `enable_${each}`);

export const IN_TABLE_ORDER = [...BY_INDEX.map((each) => `SET ${each} = off`), 'DISCARD PLANS'].join('; ');
export const AS_PLANNED = [...BY_INDEX.map((each) => `RESET ${each}`), 'DISCARD PLANS'].join('; ');
