import fc from 'fast-check';
import { expect, test } from 'vitest';
import { twinCase } from './model.js';
import { Twins } from './twin.js';
import fs from 'node:fs';
const seed = Number(process.env.SEED ?? 1), cases = Number(process.env.CASES ?? 60);
test('twin', async () => {
  const twins = await Twins.connect('postgres://postgres@127.0.0.1:5518/twin', 'postgres://postgres@127.0.0.1:6440/twin');
  const found: any[] = []; let n = 0;
  for (const c of fc.sample(twinCase(8), { seed, numRuns: cases })) {
    for (const s of c.statements) { n++;
      let d: any; try { d = await twins.compare({ ...c, statements: [s] }); } catch (e) { d = { error: String(e), stack: (e as any).stack?.slice(0,300) }; }
      if (d) { const k = d.native?.[0]?.fields?.constraint; const t = c.tables[Number(k?.[1])];
        found.push({ d, keys: c.tables.map((t, i) => `${i}: ${t.type} ` + t.keys.map((k) => `${k.to}.${k.target} ${k.action}${k.defaultValue ?? ''}${k.notNull?' NN':''}`).join(', ')), contested: t?.keys.some((k) => k.action === 'CASCADE') }); }
    }
  }
  fs.writeFileSync('/tmp/found.json', JSON.stringify(found, null, 1));
  console.log(n, 'statements', found.length, 'differences', found.filter((f) => !f.contested).length, 'not contested');
}, 500000);
