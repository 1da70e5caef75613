import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { expect, test } from 'vitest';

import { addStack } from '../lib/add-stack.ts';
import { createApp } from '../lib/app.ts';
import { SPOKE, stubArtifacts } from './support.ts';

function findings(app: App): string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map((resource) => `${ruleName} at ${resource.constructPath ?? '?'}`),
  );
}

function acknowledgements(construct: IConstruct): [string, string][] {
  return construct.node
    .findAll()
    .flatMap((node) =>
      node.node.metadata
        .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        .flatMap(({ data }) => Object.entries(data as Record<string, string>)),
    );
}

const artifacts = stubArtifacts();

test.each([
  ['the hub', { artifacts }],
  ['the hub with spokes', { artifacts, spokes: '444455556666', externalId: 'a-shared-secret' }],
  ['the hub of an organization', { artifacts, organization: 'o-a1b2c3d4e5', externalId: 'a-shared-secret' }],
  ['a spoke', SPOKE],
])('cdk-nag finds nothing in %s that is not acknowledged, and every acknowledgement says why', (_, context) => {
  const app = createApp(context);
  addStack(app);
  expect(findings(app)).toEqual([]);
  const reasons = acknowledgements(app);
  expect(reasons.length).toBeGreaterThan(0);
  expect(reasons.filter(([, reason]) => reason.length < 20)).toEqual([]);
});

test('an acknowledgement covers one resource, never a stack or the app', () => {
  const app = createApp({ artifacts });
  const stack = addStack(app);
  const onWhole = [app, stack]
    .flatMap((scope) => scope.node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY);
  expect(onWhole).toEqual([]);
});

test('what cdk-nag finds stops the synthesis', () => {
  const app = createApp({ artifacts }, mkdtempSync(path.join(tmpdir(), 'stopgap-out-')));
  addStack(app);
  new Bucket(new Stack(app, 'Careless'), 'Bucket');
  expect(findings(app).length).toBeGreaterThan(0);
  expect(() => app.synth()).toThrow('AwsSolutions-S1');
});
