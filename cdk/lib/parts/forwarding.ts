import { Aws, type CfnCondition, CfnResource } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as EventBusTarget } from 'aws-cdk-lib/aws-events-targets';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

import { AWAITED_EVENTS } from '../events.ts';
import { RightfulRole } from '../rights/right.ts';
import type { SpokeSettings } from '../settings.ts';
import { DeadLetters } from './dead-letters.ts';

/** Forwards what waiting runs wait for to the hub's bus. Without it, the polls see it, a little later. */
export class Forwarding extends Construct {
  constructor(scope: Construct, settings: SpokeSettings, condition: CfnCondition) {
    super(scope, 'Forward');
    const { hub, names } = settings;
    const busArn = `arn:${Aws.PARTITION}:events:${hub.region}:${hub.account}:event-bus/default`;
    const bus = EventBus.fromEventBusArn(this, 'HubBus', busArn);
    const { queue } = new DeadLetters(this, 'Undelivered', names.of('spoke-undelivered'));
    const { role } = new RightfulRole(this, 'Rights', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description: `What the rules that forward events to ${names.deployment} may do`,
      rights: [{ sid: 'Forward', reason: "The hub's bus.", actions: ['events:PutEvents'], resources: [busArn] }],
    });
    for (const [id, { description, pattern }] of Object.entries(AWAITED_EVENTS)) {
      const target = new EventBusTarget(bus, { role: role.withoutPolicyUpdates(), deadLetterQueue: queue });
      new Rule(this, id, { description, eventPattern: pattern, targets: [target] });
    }
    for (const resource of this.node.findAll().filter(CfnResource.isCfnResource)) {
      resource.cfnOptions.condition = condition;
    }
  }
}
