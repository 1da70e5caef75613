import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { stubArtifacts } from './support.ts';

const folder = path.join(import.meta.dirname, '..');

/** Without credentials, a profile, a Region, or a way to any service. */
const BARE = {
  PATH: process.env['PATH'],
  HOME: mkdtempSync(path.join(tmpdir(), 'stopgap-home-')),
  AWS_EC2_METADATA_DISABLED: 'true',
  HTTPS_PROXY: 'http://127.0.0.1:9',
};

function synth(context: object): string {
  const outdir = mkdtempSync(path.join(tmpdir(), 'stopgap-out-'));
  const env = { ...BARE, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(context) };
  execFileSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], { cwd: folder, env, stdio: 'pipe' });
  return outdir;
}

function contents(outdir: string): Record<string, string> {
  const files = readdirSync(outdir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((file) => {
      const full = path.join(file.parentPath, file.name);
      return [path.relative(outdir, full), readFileSync(full, 'utf8')];
    }),
  );
}

test('the same functions give the same bytes, from whichever folder they come', () => {
  const [first, second] = [synth({ artifacts: stubArtifacts() }), synth({ artifacts: stubArtifacts() })].map(contents);
  expect(first?.['Stopgap.template.json']?.length).toBeGreaterThan(10_000);
  expect(second).toEqual(first);
});

test('what stops a synthesis is one line that says what would be right', () => {
  const env = { ...BARE, CDK_CONTEXT_JSON: JSON.stringify({ artifacts: stubArtifacts(), logDays: '2' }) };
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/app.ts'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: the context value logDays is 2; it has to be one of 1, 3, 7.*\n$/);
});
