import { Aws, Duration } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { giveUp, machineArn } from '../rights/home.ts';
import { RightfulRole } from '../rights/right.ts';
import type { Names } from '../names.ts';
import type { Machine } from './machine.ts';

/** How often the fleet plans. Policies' schedules are as exact as this. */
export const TICK = Duration.minutes(15);
/** How often the rescuer looks: how long an instance may stay stopped when the event of its run's end is lost. */
export const LOOK = Duration.minutes(5);

/** What is started, and when. */
export interface MachineScheduleProps {
  readonly names: Names;
  readonly machine: Machine;
  /** What the machine does, in words. */
  readonly does: string;
  /** How often, from the full hour on. */
  readonly every: Duration;
  /** The execution's input. */
  readonly input: Readonly<Record<string, string>>;
  readonly undelivered: IQueue;
}

/** Starts a machine at regular times. */
export class MachineSchedule extends Construct {
  constructor(scope: Construct, id: string, props: MachineScheduleProps) {
    super(scope, id);
    const { names, machine, every, undelivered } = props;
    const name = names.of(machine.name);
    const { role } = new RightfulRole(this, 'Rights', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnEquals: {
            'aws:SourceArn': `arn:${Aws.PARTITION}:scheduler:${Aws.REGION}:${Aws.ACCOUNT_ID}:schedule-group/default`,
          },
        },
      }),
      description: `What the schedule ${name} may do`,
      rights: [
        {
          sid: 'StartMachine',
          reason: 'The machine of this schedule. Its alias is authorized as the machine itself.',
          actions: ['states:StartExecution'],
          resources: [machineArn(names, machine.name)],
        },
        giveUp(undelivered.queueArn),
      ],
    });
    new CfnSchedule(this, 'Schedule', {
      name,
      description: `Starts the machine ${name}, which ${props.does}`,
      // From the full hour on, not counted from the deployment: a backup due at two begins at two.
      scheduleExpression: `cron(0/${every.toMinutes()} * * * ? *)`,
      // Spreading the ticks would only delay the backups that wait for them.
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: machine.aliasArn,
        roleArn: role.roleArn,
        input: JSON.stringify(props.input),
        deadLetterConfig: { arn: undelivered.queueArn },
        // The next start does what a lost one would have: trying for longer than until then is of no use.
        retryPolicy: { maximumEventAgeInSeconds: every.toSeconds(), maximumRetryAttempts: 20 },
      },
    });
  }
}
