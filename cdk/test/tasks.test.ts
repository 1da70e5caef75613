import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { pascal } from '../lib/names.ts';
import { FUNCTION_NAMES } from '../lib/rights/functions.ts';
import { hub, resources, rightsOf } from './support.ts';

/** The tasks and the services that each declares, as `tasks!` in stopgap-core has them. */
function tasks(): Map<string, string[]> {
  const file = path.resolve(import.meta.dirname, '../../functions/core/src/tasks/mod.rs');
  const declared = [...readFileSync(file, 'utf8').matchAll(/= "([a-z-]+)" uses \[([^\]]*)\]/g)];
  return new Map(
    declared.map(([, name = '', services = '']) => [name, services.split(',').map((service) => service.trim())]),
  );
}

/** What having a service means: at least one right with this prefix. */
const PREFIXES: Record<string, RegExp> = {
  Alarms: /^cloudwatch:/,
  AutoScaling: /^autoscaling:/,
  Callbacks: /^states:SendTask/,
  Ec2: /^ec2:/,
  Executions: /^states:(Describe|List)Executions?$/,
  LoadBalancers: /^elasticloadbalancing:/,
  Keys: /^kms:DescribeKey$/,
  Objects: /^s3:/,
  Topic: /^sns:/,
};

const template = hub();

test('every task is a function, and every function a task', () => {
  expect([...FUNCTION_NAMES].sort()).toEqual([...tasks().keys()].sort());
  const deployed = resources(template, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties['FunctionName']);
  expect(deployed.sort()).toEqual([...tasks().keys()].map((name) => `stopgap-${name}`).sort());
});

test('a function has rights on the services that its task declares, and on no others', () => {
  for (const [name, declared] of tasks()) {
    const actions = rightsOf(template, pascal(name)).flatMap((statement) => statement.actions);
    const held = Object.entries(PREFIXES).filter(([, prefix]) => actions.some((action) => prefix.test(action)));
    expect(held.map(([service]) => service).sort(), name).toEqual([...declared].sort());
  }
});

test('a function is told what its task needs', () => {
  for (const [name, declared] of tasks()) {
    const [, found] =
      resources(template, 'AWS::Lambda::Function').find(
        ([, { Properties }]) => Properties['FunctionName'] === `stopgap-${name}`,
      ) ?? [];
    const { Variables } = found?.Properties['Environment'] as { Variables: Record<string, unknown> };
    const always = ['STOPGAP_ACCOUNT', 'STOPGAP_LOG_LEVEL', 'STOPGAP_PRUNE', 'STOPGAP_TABLE'];
    const bucket = declared.includes('Objects') ? ['STOPGAP_BUCKET'] : [];
    const topic = declared.includes('Topic') ? ['STOPGAP_TOPIC_ARN'] : [];
    expect(Object.keys(Variables).sort(), name).toEqual([...always, ...bucket, ...topic].sort());
    expect(Variables['STOPGAP_PRUNE']).toBe('delete');
  }
});
