import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { costTable, idleCost } from '../lib/idle-cost.ts';
import { hub } from './support.ts';

const readme = path.join(import.meta.dirname, '../README.md');
const [begin, end] = ['<!-- begin idle cost -->\n', '<!-- end idle cost -->'];

test('the README says what a deployment costs while nothing is due', () => {
  const template = hub().toJSON() as Parameters<typeof idleCost>[0];
  const table = costTable(idleCost(template));
  const text = readFileSync(readme, 'utf8');
  const [before, rest] = text.split(begin);
  const [, after] = (rest ?? '').split(end);
  const wanted = `${before ?? ''}${begin}${table}${end}${after ?? ''}`;
  if (process.env['UPDATE'] !== undefined) {
    writeFileSync(readme, wanted);
  }
  expect(readFileSync(readme, 'utf8'), 'run `UPDATE=1 npx vitest run test/idle-cost.test.ts`').toBe(wanted);
});

test('every dollar has a part of the template, or of the schedule, that it is for', () => {
  const none = idleCost({ Resources: {} });
  const fixed = none.filter(({ dollars }) => dollars > 0).map(({ what }) => what);
  expect(fixed.every((what) => what.includes('planner') || what.includes('ticks') || what.includes('looks'))).toBe(
    true,
  );
});
