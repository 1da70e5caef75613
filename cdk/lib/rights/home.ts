import { Aws } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

import type { Names } from '../names.ts';
import type { Right } from './right.ts';

// What the functions do in the hub's own account, beside its instances.

/** The parts of the hub that rights name. */
export interface Home {
  readonly names: Names;
  readonly table: ITable;
  readonly bucket: IBucket;
  readonly topic: ITopic;
  /** The topic for chat applications, where there is one. */
  readonly chat: ITopic | undefined;
  readonly topicKey: IKey;
  /** The accounts, or the organization, whose spoke role the functions may assume. */
  readonly spokes: Spokes;
}

/** Where the spokes are: listed accounts, a whole organization, or nowhere. */
export interface Spokes {
  readonly accounts: readonly string[];
  readonly organization: string | undefined;
}

/** The ARN of a state machine of this deployment, by name: a machine that names itself cannot refer to itself. */
export function machineArn(names: Names, machine: string): string {
  return `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:stateMachine:${names.of(machine)}`;
}

/** The ARNs of a state machine's executions. */
export function executionArns(names: Names, machine: string): string {
  return `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${names.of(machine)}:*`;
}

/** Reads policies, leases, runs, tickets. */
export const readTable = (home: Home): Right => ({
  sid: 'ReadTable',
  reason: 'The one table of the deployment.',
  actions: ['dynamodb:GetItem', 'dynamodb:Query'],
  resources: [home.table.tableArn],
});

/**
 * Writes them, conditionally and in transactions; a transaction is authorized as the writes it is made of. The adapter
 * (`functions/aws/src/table.rs`) puts by UpdateItem, so that an item's version goes on rising.
 */
export const writeTable = (home: Home): Right => ({
  sid: 'WriteTable',
  reason: 'The one table of the deployment.',
  actions: ['dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  resources: [home.table.tableArn],
});

/** Writes plans for the fleet's Distributed Map. */
export const writePlans = (home: Home): Right => ({
  sid: 'WritePlans',
  reason: 'Any key of the planning bucket, which holds nothing but plans: a key is made from the time that is planned.',
  actions: ['s3:PutObject'],
  resources: [`${home.bucket.bucketArn}/*`],
});

/** Publishes tickets on the encrypted topic, and on that of chat applications where there is one. */
export const publishTickets = (home: Home): Right[] => [
  {
    sid: 'PublishTickets',
    reason: 'The topics of the deployment.',
    actions: ['sns:Publish'],
    resources: [home.topic, home.chat].flatMap((topic) => topic?.topicArn ?? []),
  },
  {
    sid: 'EncryptTickets',
    reason: 'The key of the topics: SNS encrypts in the name of who publishes.',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    resources: [home.topicKey.keyArn],
  },
];

/** The machines whose states wait. */
const WAITERS = ['instance', 'rescue'];

/** The machines whose executions hold leases: the fleet's does while it prunes. */
const OWNERS = [...WAITERS, 'fleet'];

/** Sees whether the execution that holds a lease still runs. */
export const seeExecutions = (home: Home): Right => ({
  sid: 'SeeExecutions',
  reason: 'Any execution of the machines that hold leases: which one it is is known only when it is found there.',
  actions: ['states:DescribeExecution'],
  resources: OWNERS.map((machine) => executionArns(home.names, machine)),
});

/** Sees which executions run, in bulk. */
export const listExecutions = (home: Home): Right => ({
  sid: 'ListExecutions',
  reason: 'The machines that hold leases.',
  actions: ['states:ListExecutions'],
  resources: OWNERS.map((machine) => machineArn(home.names, machine)),
});

/** Sees in which state an execution ended. */
export const seeHistories = (home: Home): Right => ({
  sid: 'SeeHistories',
  reason: 'Any execution of the machines that hold leases, for the words of a ticket; its data is not asked for.',
  actions: ['states:GetExecutionHistory'],
  resources: OWNERS.map((machine) => executionArns(home.names, machine)),
});

/** Answers the tokens of waiting states. */
export const answerTokens = (home: Home): Right => ({
  sid: 'AnswerTokens',
  reason: 'The machines whose states wait.',
  actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'],
  resources: WAITERS.map((machine) => machineArn(home.names, machine)),
});

/** Assumes the spoke role in the accounts that belong to the deployment; nothing where none does. */
export function reachSpokes(home: Home): Right[] {
  const role = `role/${home.names.spokeRole}*`;
  const { accounts, organization } = home.spokes;
  const common = { sid: 'ReachSpokes', actions: ['sts:AssumeRole'] };
  const listed = accounts.map((account) => `arn:${Aws.PARTITION}:iam::${account}:${role}`);
  if (organization !== undefined) {
    return [
      {
        ...common,
        reason:
          'Spoke roles in every account of the organization, and in no other; each has to trust this role by name.',
        resources: [`arn:${Aws.PARTITION}:iam::*:${role}`],
        conditions: { StringEquals: { 'aws:ResourceOrgID': organization } },
      },
    ];
  }
  return listed.length === 0
    ? []
    : [
        {
          ...common,
          reason:
            'Policies may name a spoke role other than the default; every one begins alike and trusts this role by name.',
          resources: listed,
        },
      ];
}

/** Writes its own log. */
export const writeLog = (logGroup: string): Right => ({
  sid: 'WriteLog',
  reason: 'The log streams of its own log group: Lambda names them.',
  actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  resources: [logGroup],
});

/** Puts aside what it could not handle, or could not be delivered. */
export const giveUp = (queue: string): Right => ({
  sid: 'GiveUp',
  reason: 'The dead-letter queue of this edge.',
  actions: ['sqs:SendMessage'],
  resources: [queue],
});

/** Sends traces. */
export const trace: Right = {
  sid: 'Trace',
  reason: 'X-Ray offers no resources for sending traces.',
  actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  resources: ['*'],
};
