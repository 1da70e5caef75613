import { expect, test } from 'vitest';

import { flat, hub, one, resources, rightsOf, spoke, statements } from './support.ts';
import { FUNCTION_NAMES } from '../lib/rights/functions.ts';
import { pascal } from '../lib/names.ts';

const template = spoke();
const role = one(template, 'AWS::IAM::Role', 'Spoke');

test('it is trusted by the functions of the hub that reach instances, with the external id, and by nobody else', () => {
  expect(role.Properties['RoleName']).toBe('stopgap-spoke');
  const [trust, ...others] = statements(role.Properties['AssumeRolePolicyDocument']);
  expect(others).toEqual([]);
  expect(trust?.actions).toEqual(['sts:AssumeRole']);
  expect(JSON.stringify(trust?.principal)).toContain(':iam::111122223333:root');
  expect(trust?.condition?.['StringEquals']).toEqual({ 'sts:ExternalId': 'a-shared-secret' });
  const trusted = JSON.stringify(trust?.condition?.['ArnLike']?.['aws:PrincipalArn']);
  const reaching = FUNCTION_NAMES.filter((name) => !['close-run', 'find-debts', 'notify'].includes(name));
  expect(trusted.match(/role\/[\w-]+/g)?.sort()).toEqual(
    reaching.map((name) => `role/stopgap-${name}-eu-west-1`).sort(),
  );
});

test("the roles that it trusts are those that the hub's functions have", () => {
  const names = resources(hub(), 'AWS::IAM::Role').map(([, { Properties }]) =>
    JSON.stringify(Properties['RoleName'] ?? ''),
  );
  const inHub = names.filter((name) => name.includes('stop-instance'));
  expect(inHub).toEqual(['{"Fn::Join":["",["stopgap-stop-instance-",{"Ref":"AWS::Region"}]]}']);
});

test('it may do what the functions may do to instances at home, and no more', () => {
  const home = hub();
  const onInstances = FUNCTION_NAMES.flatMap((name) => rightsOf(home, pascal(name))).filter(({ actions }) =>
    actions.some((action) =>
      /^(ec2|autoscaling|cloudwatch|elasticloadbalancing|kms:(CreateGrant|DescribeKey))/.test(action),
    ),
  );
  const bySid = (found: { sid: string | undefined }[]): unknown[] =>
    [...new Map(found.map((statement) => [statement.sid, statement])).values()].sort((a, b) =>
      String(a.sid).localeCompare(String(b.sid)),
    );
  expect(bySid(statements(role.Properties['Policies']))).toEqual(bySid(onInstances));
});

test("events go to the hub's bus, with a queue for those that do not arrive", () => {
  const rules = resources(template, 'AWS::Events::Rule');
  expect(rules).toHaveLength(3);
  for (const [id, rule] of rules) {
    const [target] = rule.Properties['Targets'] as { Arn: unknown; RoleArn?: unknown; DeadLetterConfig?: unknown }[];
    expect(JSON.stringify(target?.Arn), id).toContain(':events:eu-west-1:111122223333:event-bus/default');
    expect(target?.RoleArn, id).toBeDefined();
    expect(target?.DeadLetterConfig, id).toBeDefined();
  }
  expect(rules.map(([, rule]) => rule.Properties['EventPattern'])).toEqual(
    resources(hub(), 'AWS::Events::Rule')
      .filter(([id]) => id.startsWith('WakeOn'))
      .map(([, rule]) => rule.Properties['EventPattern']),
  );
});

test('one template fits every account and Region: the role once an account, no loop in the hub', () => {
  expect(role.Condition).toBe('RoleIsHere');
  const others = resources(template).filter(([id]) => !id.startsWith('Spoke'));
  expect(others.length).toBeGreaterThan(0);
  expect(others.filter(([, { Condition }]) => Condition !== 'HubIsElsewhere')).toEqual([]);
});

test('it needs no assets and no bootstrapping', () => {
  const text = JSON.stringify(template.toJSON());
  expect(text).not.toContain('cdk-hnb659fds');
  expect(text).not.toContain('BootstrapVersion');
  // What CloudFormation takes without a bucket.
  expect(text.length).toBeLessThan(51_200);
});

test('its trust has room in what IAM allows, with the longest names there may be', () => {
  const longest = spoke({ name: 'a'.repeat(20), hub: '111122223333/ap-southeast-1', externalId: 'x'.repeat(256) });
  const trust = one(longest, 'AWS::IAM::Role', 'Spoke').Properties['AssumeRolePolicyDocument'];
  const sent = JSON.stringify(trust, (_, value: unknown) =>
    Object.hasOwn(Object(value) as object, 'Fn::Join') ? flat(value).replace('<AWS::Partition>', 'aws-us-gov') : value,
  );
  expect(sent).not.toContain('<');
  expect(sent.length).toBeGreaterThan(1_000);
  expect(sent.length).toBeLessThan(2_048);
});

test('its rights have room in what IAM allows of policies within a role', () => {
  const policies = one(spoke({ optInTag: 'Backup=nightly' }), 'AWS::IAM::Role', 'Spoke').Properties['Policies'];
  // Characters without white space, of all of them together.
  expect(JSON.stringify(policies).length).toBeLessThan(10_240);
});
