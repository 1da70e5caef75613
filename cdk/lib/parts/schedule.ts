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

/** Starts the fleet at every tick, telling it which tick it is: no task plans by its own clock. */
export class FleetSchedule extends Construct {
  constructor(scope: Construct, names: Names, fleet: Machine, undelivered: IQueue) {
    super(scope, 'Schedule');
    const name = names.of('fleet');
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
          sid: 'StartFleet',
          reason: 'The fleet machine. Its alias is authorized as the machine itself.',
          actions: ['states:StartExecution'],
          resources: [machineArn(names, fleet.name)],
        },
        giveUp(undelivered.queueArn),
      ],
    });
    new CfnSchedule(this, 'Schedule', {
      name,
      description: 'Starts the fleet machine, which plans what is due',
      // On the quarter hours, not counted from the deployment: a backup due at two begins at two.
      scheduleExpression: `cron(0/${TICK.toMinutes()} * * * ? *)`,
      // Spreading the ticks would only delay the backups that wait for them.
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: fleet.aliasArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ at: '<aws.scheduler.scheduled-time>' }),
        deadLetterConfig: { arn: undelivered.queueArn },
        // The next tick plans what a lost one would have: trying for longer than until then is of no use.
        retryPolicy: { maximumEventAgeInSeconds: TICK.toSeconds(), maximumRetryAttempts: 20 },
      },
    });
  }
}
