import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { CONTEXT_VALUES } from '../lib/settings.ts';
import { hub, one, resources, spoke, stubArtifacts } from './support.ts';

describe('a wrong context value is refused, saying what would be right', () => {
  test.each([
    ['name', 'Stopgap', 'beginning with a letter'],
    ['name', 'a-name-that-is-too-long-for-roles', 'up to 20'],
    ['architecture', 'arm', 'arm64 or x86_64'],
    ['spokes', '1234', '111122223333,444455556666'],
    ['organization', 'acme', 'o-a1b2c3d4e5'],
    ['externalId', '!', '2 to 256 of A-Z'],
    ['logDays', '31', 'one of 1, 3, 7'],
    ['logLevel', 'LOUD', 'error, warn, info, debug, trace'],
    ['machineLogLevel', 'error', 'one of OFF, ALL, ERROR, FATAL'],
    ['optInTag', 'aws:name', 'the key of a tag, or key=value'],
    ['optInTag', 'Backup=*', 'the key of a tag, or key=value'],
    ['adopt', 'yes', 'ebs-snapper'],
    ['chat', 'slack', 'amazon-q'],
    ['prune', 'yes', 'delete or report'],
  ])('%s = %s', (key, value, right) => {
    expect(() => hub({ [key]: value })).toThrow(right);
    expect(() => hub({ [key]: value })).toThrow(`the context value ${key} is ${value}`);
  });

  test.each([
    [{ hub: '111122223333' }, "the hub's account and Region"],
    [{ hub: '111122223333/Ireland' }, "the hub's account and Region"],
    [{ externalId: '' }, 'the one that the hub was deployed with'],
  ])('of a spoke: %j', (context, right) => {
    expect(() => spoke(context)).toThrow(right);
  });
});

test('spokes need an external id, and are either listed or an organization', () => {
  expect(() => hub({ spokes: '444455556666' })).toThrow('externalId');
  expect(() => hub({ spokes: '444455556666', organization: 'o-a1b2c3d4e5', externalId: 'a-shared-secret' })).toThrow(
    'one of the two',
  );
});

test('functions that are not built are an error that says what builds them', () => {
  const empty = mkdtempSync(path.join(tmpdir(), 'stopgap-empty-'));
  expect(() => hub({ artifacts: empty })).toThrow('has no functions: `functions/build.sh arm64` builds the functions');
  expect(() => hub({ artifacts: empty, architecture: 'x86_64' })).toThrow('functions/build.sh x86_64');
});

test('a function that is missing among others is named', () => {
  const folder = stubArtifacts();
  rmSync(path.join(folder, 'stop-instance/bootstrap'));
  expect(() => hub({ artifacts: folder })).toThrow('has no stop-instance/bootstrap: `functions/build.sh');
});

test('functions are for arm64, and for x86_64 if asked', () => {
  const architectures = (context: Record<string, string>): unknown[] =>
    resources(hub(context), 'AWS::Lambda::Function').map(([, { Properties }]) => Properties['Architectures']);
  expect(new Set(architectures({}).map(String))).toEqual(new Set(['arm64']));
  expect(new Set(architectures({ architecture: 'x86_64' }).map(String))).toEqual(new Set(['x86_64']));
});

test('another name names everything anew', () => {
  const text = JSON.stringify(hub({ name: 'trial' }).toJSON());
  expect(text).toContain('"trial-stop-instance"');
  expect(text).toContain('"TableName":"trial"');
  expect(text.match(/"[^" ]*stopgap-(?!$)[^" ]*"/g)).toBeNull();
});

test('logs are kept as long as asked, everywhere', () => {
  const groups = resources(hub({ logDays: 90 }), 'AWS::Logs::LogGroup');
  expect(groups.length).toBeGreaterThan(0);
  expect(groups.filter(([, { Properties }]) => Properties['RetentionInDays'] !== 90)).toEqual([]);
});

test('what the functions log, and what the machines log, can be set', () => {
  const template = hub({ logLevel: 'info,stopgap_core=debug', machineLogLevel: 'ALL' });
  expect(one(template, 'AWS::Lambda::Function', 'Wait').Properties['Environment']).toMatchObject({
    Variables: { STOPGAP_LOG_LEVEL: 'info,stopgap_core=debug' },
  });
  expect(one(template, 'AWS::StepFunctions::StateMachine', 'Fleet').Properties['LoggingConfiguration']).toMatchObject({
    Level: 'ALL',
  });
});

test('pruning deletes, unless it is only to report', () => {
  const told = (context: Record<string, string>): unknown[] =>
    resources(hub(context), 'AWS::Lambda::Function').map(
      ([, { Properties }]) =>
        (Properties['Environment'] as { Variables: Record<string, string> }).Variables['STOPGAP_PRUNE'],
    );
  expect(new Set(told({}))).toEqual(new Set(['delete']));
  expect(new Set(told({ prune: 'delete' }))).toEqual(new Set(['delete']));
  expect(new Set(told({ prune: 'report' }))).toEqual(new Set(['report']));
});

test('the external id reaches the functions that reach other accounts', () => {
  const told = resources(hub({ spokes: '444455556666', externalId: 'a-shared-secret' }), 'AWS::Lambda::Function')
    .filter(([, { Properties }]) => JSON.stringify(Properties['Environment']).includes('a-shared-secret'))
    .map(([, { Properties }]) => Properties['FunctionName']);
  expect(told).toContain('stopgap-stop-instance');
  expect(told).toContain('stopgap-enter-standby');
  expect(told).not.toContain('stopgap-notify');
});

test('the README documents every context value, and no other', () => {
  const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8');
  const documented = [...readme.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
  expect(documented.sort()).toEqual([...CONTEXT_VALUES].sort());
});
