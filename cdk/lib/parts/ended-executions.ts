import { Aws, Duration } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import type { Machine } from './machine.ts';

/** Whom the ends are told, and where undelivered events go. */
export interface EndedExecutionsProps {
  readonly fleet: Machine;
  readonly instance: Machine;
  readonly notify: IFunction;
  readonly topic: ITopic;
  readonly undelivered: IQueue;
}

const arn = EventField.fromPath('$.detail.executionArn');
const name = EventField.fromPath('$.detail.name');
const status = EventField.fromPath('$.detail.status');

/**
 * Makes tickets of the ends that no state can catch: an execution that someone aborted, that took too long, or that Step
 * Functions failed by itself. The rescuer, once it is there, takes the events of the instance machine over and starts the
 * instance; until then a person has to.
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

    // Errors that `Catch` sees have opened their own tickets. The event has the run's input only as a text, which a rule
    // cannot read, so no ticket of `notify` can be made of it: the message goes out as it is, in the same format.
    const unseen = [
      { status: ['ABORTED', 'TIMED_OUT'] },
      { status: ['FAILED'], error: ['States.Runtime', 'States.DataLimitExceeded'] },
    ];
    // By its ARN: CDK would give EventBridge `kms:GenerateDataKey*` on the key; what it needs is granted with the topic.
    const topic = Topic.fromTopicArn(this, 'Topic', props.topic.topicArn);
    rule('InstanceCutOff', props.instance, 'A run ended in a way that no state catches', { $or: unseen }).addTarget(
      new SnsTopic(topic, { ...delivery, message: RuleTargetInput.fromObject(cutOffTicket()) }),
    );
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

/** A message as `functions/core/ticket.schema.json` describes it. Without message attributes: EventBridge sends none. */
export function cutOffTicket(): Record<string, unknown> {
  return {
    version: 1,
    dedup_key: `left-stopped/execution/${name}`,
    sequence: 1,
    action: 'open',
    severity: 'critical',
    kind: 'left-stopped',
    instance: null,
    account: Aws.ACCOUNT_ID,
    region: Aws.REGION,
    policy: null,
    occurrences: [],
    failed_state: null,
    error: status,
    // The name of an execution that the fleet started begins with the instance's id.
    cause:
      `The run ${name} was aborted, took too long, or was failed by Step Functions itself: ` +
      'no state of it could start the instance again.',
    done: 'Nothing yet. The next run of the instance starts it, if it is owed a start.',
    next_step:
      'See whether the instance runs, and start it if it should. To make the backup, start the instance machine with ' +
      "the instance's id. Close this ticket by hand: nothing resolves it.",
    console_url: `https://${Aws.REGION}.console.aws.amazon.com/states/home?region=${Aws.REGION}#/v2/executions/details/${arn}`,
    timeline: [],
  };
}
