/** Small schemas for the reduced twin: each has what a cascade can meet, in SQL that all engines take. */
interface WorldKey {
  readonly from: string;
  readonly columns: readonly string[];
  readonly to: string;
  readonly referenced: readonly string[];
  readonly action: 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action';
}

export interface World {
  readonly name: string;
  readonly tables: readonly string[];
  readonly keys: readonly WorldKey[];
}

/** `b.a_id > a cascade`, or `b.(a_x,a_y) > a.(x,y) cascade` */
function key(text: string): WorldKey {
  const [, from = '', own = '', to = '', referenced = 'id', action = ''] =
    /^(\w+)\.\(?([\w,]+)\)? > (\w+)(?:\.\(([\w,]+)\))? (.+)$/.exec(text) ?? [];
  return {
    from,
    to,
    columns: own.split(','),
    referenced: referenced.split(','),
    action: action as WorldKey['action'],
  };
}

/** The keys as `key` reads them; the tables are called after the world, too. */
export function world(name: string, ...keys: readonly string[]): World {
  const read = keys
    .map(key)
    .map((each) => ({ ...each, from: `${name}_${each.from}`, to: `${name}_${each.to}` }));
  return { name, keys: read, tables: [...new Set(read.flatMap(({ from, to }) => [to, from]))].sort() };
}

export const WORLDS: readonly World[] = [
  world('chain', 'b.a_id > a cascade', 'c.b_id > b cascade', 'd.c_id > c cascade', 'e.c_id > c set null'),
  world('diamond', 'b.a_id > a cascade', 'c.a_id > a cascade', 'd.b_id > b cascade', 'd.c_id > c cascade'),
  world(
    'pairs',
    'b.(a_x,a_y) > a.(x,y) cascade',
    'c.(b_x,b_y) > b.(x,y) cascade',
    'd.(b_x,b_y) > b.(x,y) set null',
  ),
  world('tree', 'a.parent > a cascade', 'b.a_id > a cascade', 'c.b_id > b set null'),
  world('cycle', 'a.b_id > b cascade', 'b.a_id > a cascade', 'c.a_id > a cascade'),
  world('rules', 'b.a_id > a cascade', 'c.b_id > b restrict', 'd.b_id > b no action', 'e.a_id > a set null'),
  world('both', 'b.a_id > a cascade', 'c.a_id > a set null', 'c.b_id > b cascade'),
];
export const DEFAULTS: World = world('defaults', 'b.a_id > a set default', 'c.b_id > b cascade');

/** The table's columns: an id, a pair that is unique, and those of its keys. */
export function columnsOf({ keys }: World, table: string): readonly string[] {
  const own = keys.filter(({ from }) => from === table).flatMap(({ columns }) => columns);
  return ['id', 'x', 'y', ...new Set(own)];
}

/** @param isInline its keys are declared with it, as SQLite wants them; with `none` they are not */
export function createTable(world: World, table: string, keys: 'inline' | 'none'): string {
  const defaults = world.keys.filter(({ action, from }) => action === 'set default' && from === table);
  const own = columnsOf(world, table)
    .slice(3)
    .map(
      (column) =>
        `${column} int${defaults.some(({ columns }) => columns.includes(column)) ? ' DEFAULT 1' : ''}`,
    );
  const declared = keys === 'inline' ? world.keys.filter(({ from }) => from === table).map(declaration) : [];
  const parts = ['id int PRIMARY KEY', 'x int', 'y int', ...own, 'UNIQUE (x, y)', ...declared];
  return `CREATE TABLE ${table} (${parts.join(', ')})`;
}

export function addKeys({ keys }: World): readonly string[] {
  return keys.map((each) => `ALTER TABLE ${each.from} ADD ${declaration(each)}`);
}

function declaration({ columns, to, referenced, action }: WorldKey): string {
  return `FOREIGN KEY (${columns.join(', ')}) REFERENCES ${to} (${referenced.join(', ')}) ON DELETE ${action.toUpperCase()}`;
}

/** The keys as relations of the configuration. */
export function relationsOf(worlds: readonly World[], schema: string) {
  return worlds.flatMap(({ keys }) =>
    keys.map(({ from, columns, to, referenced, action }) => ({
      name: `${from}_${columns.join('_')}_fkey`,
      from: `${schema}.${from}(${columns.join(', ')})`,
      to: `${schema}.${to}(${referenced.join(', ')})`,
      on_delete: action,
    })),
  );
}
