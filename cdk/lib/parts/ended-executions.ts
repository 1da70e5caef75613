import { Aws, Duration } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import type { Names } from '../names.ts';
import { machineArn } from '../rights/home.ts';
import { RightfulRole } from '../rights/right.ts';
import type { Machine } from './machine.ts';

/** Whom the ends are told, and where undelivered events go. */
export interface EndedExecutionsProps {
  readonly fleet: Machine;
  readonly instance: Machine;
  readonly rescue: Machine;
  readonly names: Names;
  readonly notify: IFunction;
  readonly undelivered: IQueue;
}

const arn = EventField.fromPath('$.detail.executionArn');
const status = EventField.fromPath('$.detail.status');

/**
 * Tells the ends that no state can catch: an execution that someone aborted, that took too long, or that Step Functions
 * failed by itself. Of the fleet's it makes tickets; a run's go to the rescuer.
 */
export class EndedExecutions extends Construct {
  constructor(scope: Construct, props: EndedExecutionsProps) {
    super(scope, 'Ended');
    const delivery = { deadLetterQueue: props.undelivered, maxEventAge: Duration.hours(6), retryAttempts: 185 };
    const rule = (id: string, machine: Machine, description: string, detail: Record<string, unknown>): Rule =>
      new Rule(this, id, {
        description,
        eventPattern: {
          source: ['aws.states'],
          detailType: ['Step Functions Execution Status Change'],
          detail: { stateMachineArn: [machine.machine.stateMachineArn], ...detail },
        },
      });

    // A failed fleet has told why before it ended; telling the same again sends nothing. Where Step Functions failed it,
    // or the telling failed, this is the first that is heard of it.
    rule('FleetFailed', props.fleet, 'The fleet failed', {
      status: ['FAILED'],
      error: [{ exists: true }],
      cause: [{ exists: true }],
    }).addTarget(
      new LambdaFunction(props.notify, {
        ...delivery,
        event: planFailed(EventField.fromPath('$.detail.error'), EventField.fromPath('$.detail.cause')),
      }),
    );
    rule('FleetCutOff', props.fleet, 'The fleet was aborted or took too long', {
      status: ['ABORTED', 'TIMED_OUT'],
    }).addTarget(
      new LambdaFunction(props.notify, {
        ...delivery,
        event: planFailed(
          status,
          'The execution was stopped from outside, or took longer than it may. It told nothing itself.',
        ),
      }),
    );

    // Whatever ended it: the rescuer looks at what it left, which is nothing where the run closed by itself.
    const { role } = new RightfulRole(this, 'Rights', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description: `What the rule that starts ${props.names.of(props.rescue.name)} may do`,
      rights: [
        {
          sid: 'StartRescue',
          reason: 'The rescue machine. Its alias is authorized as the machine itself.',
          actions: ['states:StartExecution'],
          resources: [machineArn(props.names, props.rescue.name)],
        },
      ],
    });
    const ended = rule('InstanceEnded', props.instance, 'A run ended otherwise than well', {
      status: ['FAILED', 'ABORTED', 'TIMED_OUT'],
    });
    ended.addTarget({
      bind: () => ({
        arn: props.rescue.aliasArn,
        role,
        input: RuleTargetInput.fromObject({ execution: arn }),
        deadLetterConfig: { arn: props.undelivered.queueArn },
        retryPolicy: { maximumEventAgeInSeconds: delivery.maxEventAge.toSeconds(), maximumRetryAttempts: 185 },
      }),
    });
  }
}

/** What `notify` takes to open the ticket that the next plan resolves. */
function planFailed(error: string, cause: string): RuleTargetInput {
  return RuleTargetInput.fromObject({
    kind: 'plan-failed',
    action: 'open',
    fleet: { execution: arn, failure: { Error: error, Cause: cause } },
  });
}
