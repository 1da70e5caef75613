import { Aws } from 'aws-cdk-lib';

import type { MachineFile } from '../machine-file.ts';
import type { Names } from '../names.ts';
import { executionArns, machineArn } from './home.ts';
import type { Right } from './right.ts';

/** What a state machine names in its file. */
export interface Named {
  readonly file: MachineFile;
  /** The unqualified ARNs of the functions that it calls. */
  readonly functions: readonly string[];
  /** The machines that it starts, by name. */
  readonly machines: readonly string[];
  /** The planning bucket's ARN. */
  readonly bucket: string;
}

/** What the role of a state machine needs: what its file names, and how it tells what it does. */
export function rightsOfMachine(names: Names, named: Named): Right[] {
  const { file, functions, machines, bucket } = named;
  const self = machineArn(names, file.name);
  const rights = [deliverLogs, traceMachine];
  if (functions.length > 0) {
    rights.push({
      sid: 'CallFunctions',
      reason:
        'The functions that the file names, in every version: an execution runs for days on the version it began with.',
      actions: ['lambda:InvokeFunction'],
      resources: functions.map((arn) => `${arn}:*`),
    });
  }
  if (machines.length > 0) {
    rights.push({
      sid: 'StartMachines',
      reason: 'The machines that the file names. Their aliases are authorized as the machines themselves.',
      actions: ['states:StartExecution'],
      resources: machines.map((machine) => machineArn(names, machine)),
    });
  }
  if (file.startsItself) {
    rights.push({
      sid: 'StartItself',
      reason: 'The machine itself: an execution of its own for each item that it finds.',
      actions: ['states:StartExecution'],
      resources: [self],
    });
  }
  if (file.distributedMaps.length > 0) {
    rights.push(
      {
        sid: 'StartChildren',
        reason: 'A Distributed Map starts its children as executions of the machine itself.',
        actions: ['states:StartExecution'],
        resources: [self],
      },
      {
        sid: 'MindChildren',
        reason: 'A Distributed Map follows its children and stops them when it is stopped; Step Functions names them.',
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: [
          executionArns(names, file.name),
          ...file.distributedMaps.map((label) => children(names, file.name, label)),
        ],
      },
      {
        sid: 'ReadPlans',
        reason:
          'Any key of the planning bucket, which holds nothing but plans: a key is made from the time that is planned.',
        actions: ['s3:GetObject'],
        resources: [`${bucket}/*`],
      },
    );
  }
  return rights;
}

function children(names: Names, machine: string, label: string): string {
  return `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${names.of(machine)}/${label}:*`;
}

const deliverLogs: Right = {
  sid: 'DeliverLogs',
  reason:
    'Step Functions sets up the delivery of its logs in the name of this role; CloudWatch Logs offers no resources for that.',
  actions: [
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
  ],
  resources: ['*'],
};

const traceMachine: Right = {
  sid: 'Trace',
  reason: 'X-Ray offers no resources for sending traces and reading how many to send.',
  actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
  resources: ['*'],
};
