import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { pascal } from '../lib/names.ts';
import { FUNCTION_NAMES, rightsOnInstances } from '../lib/rights/functions.ts';
import { hub, one, resources, rightsOf, spoke, type Statement, statements } from './support.ts';

const template = hub({ spokes: '444455556666', externalId: 'a-shared-secret' });
const templates: [string, Template][] = [
  ['the hub', template],
  ['a hub for an organization', hub({ organization: 'o-a1b2c3d4e5', externalId: 'a-shared-secret' })],
  ['a spoke', spoke()],
];

/** What resource policies may say of `*`, and why: there it means the resource that has the policy. */
const OWN_RESOURCE = new Map([
  ['OwnedByTheAccount', 'In the policy of a key, every resource is that key.'],
  ['AlarmsEncrypt', 'In the policy of a key, every resource is that key.'],
  ['RulesEncrypt', 'In the policy of a key, every resource is that key.'],
]);

const allows = (found: readonly Statement[]): Statement[] => found.filter(({ effect }) => effect === 'Allow');
const actionsOf = (functionId: string): string[] =>
  allows(rightsOf(template, functionId)).flatMap(({ actions }) => [...actions]);

describe.each(templates)('%s', (_, stack) => {
  test('grants no action with a wildcard', () => {
    const wild = allows(statements(stack.toJSON())).filter(({ actions }) =>
      actions.some((action) => action.includes('*')),
    );
    expect(wild).toEqual([]);
  });

  test('grants nothing on a resource with a wildcard without saying why', () => {
    const unexplained = resources(stack).flatMap(([id, resource]) =>
      allows(statements(resource.Properties))
        .filter((statement) => statement.resources.some((arn) => arn.includes('*')))
        .filter(({ sid = '' }) => (resource.Metadata?.Reasons?.[sid] ?? OWN_RESOURCE.get(sid) ?? '').length < 10)
        .map(({ sid }) => `${id}: ${sid ?? 'no Sid'}`),
    );
    expect(unexplained).toEqual([]);
  });

  test('gives a reason for every right of every role', () => {
    for (const [id, role] of resources(stack, 'AWS::IAM::Role')) {
      const sids = statements(role.Properties['Policies']).map(({ sid }) => sid);
      expect(new Set(sids).size, id).toBe(sids.length);
      expect(Object.keys(role.Metadata?.Reasons ?? {}).sort(), id).toEqual([...sids].sort());
    }
  });

  test('lets nobody pass a role, or change who may do what', () => {
    const actions = allows(statements(stack.toJSON())).flatMap((statement) => statement.actions);
    expect(actions.filter((action) => action.startsWith('iam:'))).toEqual([]);
  });
});

test('every function has a role of its own', () => {
  const roles = resources(template, 'AWS::Lambda::Function').map(([, { Properties }]) =>
    JSON.stringify(Properties['Role']),
  );
  expect(new Set(roles).size).toBe(FUNCTION_NAMES.length);
});

test('a function has no policy beside the rights that are written for it', () => {
  expect(resources(template, 'AWS::IAM::Policy')).toEqual([]);
  expect(resources(template, 'AWS::IAM::ManagedPolicy')).toEqual([]);
  for (const [id, role] of resources(template, 'AWS::IAM::Role')) {
    expect(role.Properties['ManagedPolicyArns'], id).toBeUndefined();
  }
});

test('notify and close-run reach no instance and no other account', () => {
  for (const id of ['Notify', 'CloseRun']) {
    expect(
      actionsOf(id).filter((action) => /^(ec2|autoscaling|cloudwatch|elasticloadbalancing|sts):/.test(action)),
    ).toEqual([]);
    expect(actionsOf(id)).toContain('sns:Publish');
  }
});

test('only one function may do each thing that changes an instance, a snapshot, a group, a target or an alarm', () => {
  const doers = Object.entries({
    'ec2:StopInstances': ['StopInstance'],
    'ec2:StartInstances': ['StartInstance'],
    'kms:CreateGrant': ['StartInstance'],
    'kms:DescribeKey': ['PrepareRun'],
    'ec2:DescribeInstanceAttribute': ['PrepareRun'],
    'ec2:CreateSnapshots': ['CreateSnapshots'],
    'ec2:CreateTags': ['CreateSnapshots', 'CopyTags'],
    'ec2:DeleteSnapshot': ['PruneOrphans', 'PruneSnapshots'],
    'autoscaling:EnterStandby': ['EnterStandby'],
    'autoscaling:SuspendProcesses': ['EnterStandby'],
    'autoscaling:ExitStandby': ['LeaveStandby'],
    'autoscaling:ResumeProcesses': ['LeaveStandby'],
    'elasticloadbalancing:DeregisterTargets': ['DeregisterTargets'],
    'elasticloadbalancing:RegisterTargets': ['RegisterTargets'],
    'cloudwatch:DisableAlarmActions': ['SilenceAlarms'],
    'cloudwatch:EnableAlarmActions': ['RestoreAlarms'],
    's3:PutObject': ['PlanFleet'],
  });
  for (const [action, allowed] of doers) {
    const may = FUNCTION_NAMES.map(pascal).filter((id) => actionsOf(id).includes(action));
    expect(may.sort(), action).toEqual([...allowed].sort());
  }
});

test('snapshots are made, tagged and deleted only with the tag of stopgap', () => {
  const [made] = rightsOf(template, 'CreateSnapshots').filter(({ sid }) => sid === 'MakeOwnSnapshots');
  expect(made?.condition).toEqual({ Null: { 'aws:RequestTag/stopgap:policy': 'false' } });
  const [tagged] = rightsOf(template, 'CreateSnapshots').filter(({ sid }) => sid === 'TagWhatIsBeingMade');
  expect(tagged?.condition).toEqual({ StringEquals: { 'ec2:CreateAction': 'CreateSnapshots' } });
  const [copied] = rightsOf(template, 'CopyTags').filter(({ sid }) => sid === 'TagOwnSnapshots');
  expect(copied?.condition).toEqual({ Null: { 'aws:ResourceTag/stopgap:policy': 'false' } });
  for (const found of [
    rightsOf(template, 'PruneSnapshots'),
    rightsOf(template, 'PruneOrphans'),
    statements(one(spoke(), 'AWS::IAM::Role', 'Spoke').Properties['Policies']),
  ]) {
    const deletions = found.filter(({ actions }) => actions.includes('ec2:DeleteSnapshot'));
    expect(deletions.map(({ condition }) => condition)).toEqual([
      { Null: { 'aws:ResourceTag/stopgap:policy': 'false' } },
    ]);
  }
});

test('what ebs_snapper left behind may be deleted only where adoption is asked for, and only with its tag', () => {
  const deletes = (adopt?: boolean): unknown[] =>
    rightsOnInstances('prune-snapshots', {
      optInTag: undefined,
      prune: 'delete',
      ...(adopt === undefined ? {} : { adopt }),
    })
      .filter(({ actions }) => actions.includes('ec2:DeleteSnapshot'))
      .map(({ conditions }) => conditions);
  const own = { Null: { 'aws:ResourceTag/stopgap:policy': 'false' } };
  expect(deletes()).toEqual([own]);
  expect(deletes(false)).toEqual([own]);
  expect(deletes(true)).toEqual([own, { StringLike: { 'aws:ResourceTag/DeleteOn': '????-??-??' } }]);
  const reports = rightsOnInstances('prune-snapshots', { optInTag: undefined, prune: 'report', adopt: true });
  expect(reports.flatMap(({ actions }) => actions)).toEqual(['ec2:DescribeInstances', 'ec2:DescribeSnapshots']);
});

test('nothing may delete a snapshot while pruning only reports', () => {
  for (const stack of [hub({ prune: 'report' }), spoke({ prune: 'report' })]) {
    const actions = statements(stack.toJSON()).flatMap((statement) => statement.actions);
    expect(actions.filter((action) => action.startsWith('ec2:Delete'))).toEqual([]);
  }
});

test('who asks whether the holder of a lease still runs may ask it of every machine that takes leases', () => {
  for (const id of ['PrepareRun', 'TakeOver']) {
    const [see] = rightsOf(template, id).filter(({ actions }) => actions.includes('states:DescribeExecution'));
    const machines = see?.resources.map((arn) => arn.split(':').at(-2));
    expect(machines?.sort(), id).toEqual(['stopgap-fleet', 'stopgap-instance', 'stopgap-rescue']);
  }
});

test('a start may make grants on keys only for EC2 and only for AWS resources', () => {
  const [grant] = rightsOf(template, 'StartInstance').filter(({ actions }) => actions.includes('kms:CreateGrant'));
  expect(grant?.condition).toEqual({
    Bool: { 'kms:GrantIsForAWSResource': 'true' },
    StringLike: { 'kms:ViaService': 'ec2.*.amazonaws.com' },
  });
});

test.each([
  ['Backup=nightly', { StringEquals: { 'aws:ResourceTag/Backup': 'nightly' } }],
  ['Backup', { Null: { 'aws:ResourceTag/Backup': 'false' } }],
])('with the opt-in tag %s no other instance is stopped or started, here or in a spoke', (optInTag, condition) => {
  const opted = hub({ optInTag });
  const inSpoke = statements(one(spoke({ optInTag }), 'AWS::IAM::Role', 'Spoke').Properties['Policies']);
  for (const [id, action] of [
    ['StopInstance', 'ec2:StopInstances'],
    ['StartInstance', 'ec2:StartInstances'],
  ] as const) {
    for (const found of [rightsOf(opted, id), inSpoke]) {
      expect(found.find(({ actions }) => actions.includes(action))?.condition).toEqual(condition);
    }
  }
});

test('functions assume spoke roles only in the accounts that are named, or in the organization', () => {
  const assume = (stack: Template): Statement[] =>
    rightsOf(stack, 'StopInstance').filter(({ sid }) => sid === 'ReachSpokes');
  expect(assume(hub())).toEqual([]);
  expect(assume(template).flatMap((statement) => statement.resources)).toEqual([
    'arn:<AWS::Partition>:iam::444455556666:role/stopgap-spoke*',
  ]);
  const [wide] = assume(hub({ organization: 'o-a1b2c3d4e5', externalId: 'a-shared-secret' }));
  expect(wide?.resources).toEqual(['arn:<AWS::Partition>:iam::*:role/stopgap-spoke*']);
  expect(wide?.condition).toEqual({ StringEquals: { 'aws:ResourceOrgID': 'o-a1b2c3d4e5' } });
});
