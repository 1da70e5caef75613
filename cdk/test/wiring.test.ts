import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';

import { hub, one, resources, rightsOf, statements } from './support.ts';

const template = hub();

interface Target {
  readonly Arn: unknown;
  readonly DeadLetterConfig?: unknown;
  readonly InputTransformer?: { readonly InputTemplate: unknown };
}

const targets = (rule: { Properties: Record<string, unknown> }): Target[] => rule.Properties['Targets'] as Target[];

/** What a rule would send, with something in place of what it takes from the event. */
function sent(ruleId: string): Record<string, unknown> {
  const [target] = targets(one(template, 'AWS::Events::Rule', ruleId));
  const input = target?.InputTransformer?.InputTemplate;
  const parts = typeof input === 'string' ? [input] : (input as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
  const text = parts.map((part) => (typeof part === 'string' ? part : 'X')).join('');
  // EventBridge puts a value of the event in place as JSON where it stands alone, and as text within a text.
  return JSON.parse(
    text.replaceAll(/(?<=[:,[])<[\w-]+>/g, '"from the event"').replaceAll(/<[\w-]+>/g, 'from the event'),
  ) as Record<string, unknown>;
}

describe('the schedule', () => {
  const { Properties } = one(template, 'AWS::Scheduler::Schedule', 'Schedule');

  test('starts the alias of the fleet on every quarter of an hour, and tells it the tick', () => {
    expect(Properties).toMatchObject({
      ScheduleExpression: 'cron(0/15 * * * ? *)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Input: '{"at":"<aws.scheduler.scheduled-time>"}',
        Arn: { Ref: expect.stringMatching(/^FleetMachineAlias/) as unknown },
      },
    });
  });

  test('may start the fleet and nothing else', () => {
    const role = one(template, 'AWS::IAM::Role', 'ScheduleRights');
    const rights = statements(role.Properties['Policies']).flatMap((statement) => statement.actions);
    expect(rights.sort()).toEqual(['sqs:SendMessage', 'states:StartExecution']);
    expect(JSON.stringify(role.Properties['AssumeRolePolicyDocument'])).toContain('aws:SourceArn');
  });
});

describe('the events that runs wait for', () => {
  test.each([
    ['EC2 Instance State-change Notification', { state: ['running', 'stopped', 'terminated'] }],
    ['EBS Snapshot Notification', { event: ['createSnapshot'] }],
    ['EBS Multi-Volume Snapshots Completion Status', undefined],
  ])('%s wakes them', (detailType, detail) => {
    const pattern = { source: ['aws.ec2'], 'detail-type': [detailType], ...(detail === undefined ? {} : { detail }) };
    const [found] = resources(template, 'AWS::Events::Rule').filter(
      ([, rule]) => JSON.stringify(rule.Properties['EventPattern']) === JSON.stringify(pattern),
    );
    expect(found && targets(found[1])[0]?.Arn).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/^WakeFunction/), 'Arn'],
    });
  });
});

describe('every asynchronous edge has a dead-letter queue', () => {
  test('rules and schedules', () => {
    const edges = [
      ...resources(template, 'AWS::Events::Rule').flatMap(([, rule]) => targets(rule)),
      ...resources(template, 'AWS::Scheduler::Schedule').map(([, schedule]) => schedule.Properties['Target'] as Target),
    ];
    expect(edges.length).toBeGreaterThan(6);
    expect(edges.filter((edge) => edge.DeadLetterConfig === undefined)).toEqual([]);
  });

  test('functions that rules invoke', () => {
    const invoked = new Set(
      resources(template, 'AWS::Lambda::Permission').map(([, { Properties }]) =>
        JSON.stringify(Properties['FunctionName']).replace(/[^]*?(\w+Function)[^]*/, '$1'),
      ),
    );
    expect(invoked).toEqual(new Set(['WakeFunction', 'NotifyFunction']));
    for (const id of ['Wake', 'Notify']) {
      expect(one(template, 'AWS::Lambda::EventInvokeConfig', id).Properties['DestinationConfig']).toMatchObject({
        OnFailure: {},
      });
      expect(rightsOf(template, id).flatMap((statement) => statement.actions)).toContain('sqs:SendMessage');
    }
  });

  test('each queue is encrypted, takes nothing without TLS, and keeps for two weeks', () => {
    for (const [id, { Properties }] of resources(template, 'AWS::SQS::Queue')) {
      expect(Properties, id).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 });
    }
    for (const [id, { Properties }] of resources(template, 'AWS::SQS::QueuePolicy')) {
      const denied = statements(Properties).filter(({ effect }) => effect === 'Deny');
      expect(
        denied.map(({ condition }) => condition),
        id,
      ).toEqual([{ Bool: { 'aws:SecureTransport': 'false' } }]);
    }
  });
});

describe('an execution that ends as no state can catch becomes a ticket', () => {
  test('of the fleet: through notify, so that the next plan resolves it', () => {
    for (const rule of ['EndedFleetFailed', 'EndedFleetCutOff']) {
      expect(sent(rule)).toMatchObject({ kind: 'plan-failed', action: 'open', fleet: { execution: 'from the event' } });
    }
    expect(sent('EndedFleetFailed')['fleet']).toMatchObject({
      failure: { Error: 'from the event', Cause: 'from the event' },
    });
  });

  test('of a run: the rescuer looks at what it left, however it ended otherwise than well', () => {
    const { EventPattern, Targets } = one(template, 'AWS::Events::Rule', 'EndedInstanceEnded').Properties;
    expect(EventPattern).toMatchObject({
      detail: {
        stateMachineArn: [{ Ref: expect.stringMatching(/^InstanceMachine/) as unknown }],
        status: ['FAILED', 'ABORTED', 'TIMED_OUT'],
      },
    });
    const [target] = Targets as {
      Arn: { Ref: string };
      InputTransformer: { InputPathsMap: Record<string, string>; InputTemplate: string };
      DeadLetterConfig: unknown;
    }[];
    expect(target?.Arn.Ref).toMatch(/^RescueMachineAlias/);
    expect(Object.values(target?.InputTransformer.InputPathsMap ?? {})).toEqual(['$.detail.executionArn']);
    expect(target?.InputTransformer.InputTemplate).toMatch(/^\{"execution":<[^>]+>\}$/);
    expect(target?.DeadLetterConfig).toBeDefined();
  });

  test('which looks every five minutes besides', () => {
    const { ScheduleExpression, Target } = one(template, 'AWS::Scheduler::Schedule', 'RescueSchedule').Properties;
    expect(ScheduleExpression).toBe('cron(0/5 * * * ? *)');
    expect(Target).toMatchObject({
      Input: '{}',
      Arn: { Ref: expect.stringMatching(/^RescueMachineAlias/) as unknown },
    });
  });
});

describe('what is stored', () => {
  test('the table outlives the stack, and can be restored to any second', () => {
    const table = one(template, 'AWS::DynamoDB::Table');
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(table.Properties).toMatchObject({
      TableName: 'stopgap',
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
      KeySchema: [
        { AttributeName: 'partition', KeyType: 'HASH' },
        { AttributeName: 'sort', KeyType: 'RANGE' },
      ],
    });
  });

  test('plans are private and gone within days', () => {
    expect(one(template, 'AWS::S3::Bucket').Properties).toMatchObject({
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 7, Status: 'Enabled' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  test('tickets are encrypted with a key that alarms may use, and take TLS only', () => {
    template.hasResourceProperties('AWS::SNS::Topic', {
      TopicName: 'stopgap-tickets',
      KmsMasterKeyId: Match.anyValue(),
    });
    const key = statements(one(template, 'AWS::KMS::Key').Properties);
    expect(key.map(({ sid }) => sid)).toEqual(['OwnedByTheAccount', 'AlarmsEncrypt']);
    const policy = statements(one(template, 'AWS::SNS::TopicPolicy').Properties);
    expect(policy.filter(({ effect }) => effect === 'Deny').map(({ condition }) => condition)).toEqual([
      { Bool: { 'aws:SecureTransport': 'false' } },
    ]);
    expect(policy.filter(({ effect }) => effect === 'Allow').map(({ sid }) => sid)).toEqual(['AlarmsPublish']);
  });
});

test('chat applications have a topic of their own if asked, for those that tell tickets and for no alarm', () => {
  expect(resources(template, 'AWS::SNS::Topic').map(([, { Properties }]) => Properties['TopicName'])).toEqual([
    'stopgap-tickets',
  ]);
  const chatty = hub({ chat: 'amazon-q' });
  const key = one(chatty, 'AWS::SNS::Topic', 'TicketsTopic').Properties['KmsMasterKeyId'];
  const [[id, chat] = ['']] = resources(chatty, 'AWS::SNS::Topic').filter(([name]) => name.startsWith('TicketsChat'));
  expect(chat?.Properties).toMatchObject({ TopicName: 'stopgap-chat', KmsMasterKeyId: key });
  const policies = resources(chatty, 'AWS::SNS::TopicPolicy').filter(([name]) => name.startsWith('TicketsChat'));
  expect(policies.flatMap(([, { Properties }]) => statements(Properties).map(({ effect }) => effect))).toEqual([
    'Deny',
  ]);
  const told = (name: string): unknown =>
    resources(chatty, 'AWS::Lambda::Function')
      .filter(([, { Properties }]) => Properties['FunctionName'] === `stopgap-${name}`)
      .map(([, { Properties }]) => (Properties['Environment'] as { Variables: object }).Variables)
      .map((variables) => (variables as Record<string, unknown>)['STOPGAP_CHAT_TOPIC_ARN'])[0];
  expect(told('notify')).toEqual({ Ref: id });
  expect(told('stop-instance')).toBeUndefined();
  const publishers = (topic: string): number =>
    resources(chatty, 'AWS::IAM::Role').filter(([, role]) => JSON.stringify(role.Properties).includes(`"${topic}"`))
      .length;
  expect(publishers(id)).toBeGreaterThan(0);
  expect(Object.keys((chatty.toJSON() as { Outputs: object }).Outputs)).toContain('ChatTopicArn');
});

test('removing the stack removes no snapshot: nothing in it makes or deletes one, and it has no custom resource', () => {
  const types = resources(template).map(([, { Type }]) => Type);
  expect(
    types.filter(
      (type) => type.startsWith('Custom::') || type.includes('CustomResource') || type.startsWith('AWS::EC2::'),
    ),
  ).toEqual([]);
});

test('spokes may put events on the bus only if they are named', () => {
  expect(resources(template, 'AWS::Events::EventBusPolicy')).toEqual([]);
  const listed = hub({ spokes: '444455556666,777788889999', externalId: 'a-shared-secret' });
  expect(resources(listed, 'AWS::Events::EventBusPolicy')).toHaveLength(2);
  const whole = one(
    hub({ organization: 'o-a1b2c3d4e5', externalId: 'a-shared-secret' }),
    'AWS::Events::EventBusPolicy',
  );
  expect(whole.Properties['Statement']).toMatchObject({
    Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } },
  });
});

test('the outputs say what a person starts, reads and subscribes to', () => {
  const outputs = Object.keys((template.toJSON() as { Outputs: object }).Outputs);
  expect(outputs.sort()).toEqual([
    'FleetMachineArn',
    'InstanceMachineArn',
    'PlanningBucketName',
    'RescueMachineArn',
    'TableName',
    'TicketTopicArn',
  ]);
});
