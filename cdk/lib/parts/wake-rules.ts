import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { AWAITED_EVENTS } from '../events.ts';

/** Sends to `wake` what waiting runs wait for, from this account and from those that forward it here. */
export class WakeRules extends Construct {
  constructor(scope: Construct, wake: IFunction, undelivered: IQueue) {
    super(scope, 'WakeOn');
    for (const [id, { description, pattern }] of Object.entries(AWAITED_EVENTS)) {
      // The unqualified function: an event knows nothing of the release that waits for it.
      const target = new LambdaFunction(wake, {
        deadLetterQueue: undelivered,
        maxEventAge: Duration.minutes(10),
        retryAttempts: 10,
      });
      new Rule(this, id, { description, eventPattern: pattern, targets: [target] });
    }
  }
}
