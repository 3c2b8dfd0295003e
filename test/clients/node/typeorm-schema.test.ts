/** Tables that TypeORM makes through the proxy: its DELETEs from them cascade at once. */
import type { EntitySchemaRelationOptions } from 'typeorm';
import { expect, test } from 'vitest';
import { describeClient } from './client.js';
import { type Keys, useClientTwin } from './twin.js';

const load = () => import('typeorm');

interface Item {
  id: number;
  parent?: { id: number } | null;
}

await describeClient(
  { name: 'TypeORM', packages: ['typeorm', 'pg'], load },
  ({ DataSource, EntitySchema }) => {
    const twin = useClientTwin();
    const entity = (name: string, parent: Partial<EntitySchemaRelationOptions> & { target: string }) =>
      new EntitySchema<Item>({
        name,
        columns: { id: { type: 'int', primary: true } },
        relations: { parent: { type: 'many-to-one', nullable: true, ...parent } },
      });
    const shelves = new EntitySchema<Item>({
      name: 'shelves',
      columns: { id: { type: 'int', primary: true } },
    });
    const books = entity('books', { target: 'shelves', onDelete: 'CASCADE' });
    const pages = entity('pages', { target: 'books', onDelete: 'CASCADE' });
    const marks = entity('marks', { target: 'books', onDelete: 'SET NULL' });

    test('a schema that it synchronizes is followed at once by DELETEs that cascade', async () => {
      const left = await twin.expectAsNative(async (url, keys) => {
        const entities = [shelves, books, pages, marks];
        const source = await new DataSource({ type: 'postgres', url, entities, poolSize: 1 }).initialize();
        try {
          await source.synchronize();
          await source.query(alterKeys(keys));
          await source.manager.insert(shelves, [{ id: 1 }, { id: 2 }]);
          const children = [1, 2].map((id) => ({ id, parent: { id } }));
          for (const child of [books, pages, marks]) await source.manager.insert(child, children);
          const { affected } = await source.manager.delete(shelves, { id: 1 });
          // Once more, as an application does at each start.
          await source.synchronize();
          const rows = await source.manager.find(marks, {
            relations: { parent: true },
            order: { id: 'ASC' },
          });
          const counts = [await source.manager.count(books), await source.manager.count(pages)];
          await source.query('DROP TABLE pages, marks, books, shelves');
          return { affected, rows, counts };
        } finally {
          await source.destroy();
        }
      });
      const rows = [
        { id: 1, parent: null },
        { id: 2, parent: { id: 2 } },
      ];
      expect(left).toEqual({ affected: 1, rows, counts: [1, 1] });
    });
  },
);

/** Makes the keys to these tables what the twin's are: TypeORM cannot declare it. */
function alterKeys(keys: Keys): string {
  return `DO $$ DECLARE key record; BEGIN
    FOR key IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
      WHERE contype = 'f' AND confrelid IN ('shelves'::regclass, 'books'::regclass)
    LOOP EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I ${keys}', key.of, key.conname); END LOOP; END $$`;
}
