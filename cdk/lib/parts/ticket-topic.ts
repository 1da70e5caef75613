import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

import type { Names } from '../names.ts';

/** Where tickets go. A standard topic, since FIFO topics reach neither HTTP(S) nor e-mail. */
export class TicketTopic extends Construct {
  readonly key: Key;
  readonly topic: Topic;

  constructor(scope: Construct, names: Names) {
    super(scope, 'Tickets');
    const fromHere = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');

    // A key of its own: with the key that AWS manages for SNS, no alarm can publish.
    this.key = new Key(this, 'Key', {
      description: `Encrypts the tickets of ${names.deployment}`,
      enableKeyRotation: true,
      // It encrypts messages on their way and nothing that stays.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsEncrypt',
        effect: Effect.ALLOW,
        principals: [cloudWatch],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        // In the policy of a key, every resource is that key.
        resources: ['*'],
        conditions: fromHere,
      }),
    );

    this.topic = new Topic(this, 'Topic', { topicName: names.of('tickets'), masterKey: this.key, enforceSSL: true });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublish',
        effect: Effect.ALLOW,
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: fromHere,
      }),
    );
  }
}
