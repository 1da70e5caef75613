import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { AccountRootPrincipal, Effect, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

import type { Names } from '../names.ts';

/**
 * Where tickets go. A standard topic, since FIFO topics reach neither HTTP(S) nor e-mail. Chat applications have one of
 * their own: they show nothing but their format, which nothing else reads.
 */
export class TicketTopic extends Construct {
  readonly key: Key;
  readonly topic: Topic;
  readonly chat: Topic | undefined;

  constructor(scope: Construct, names: Names, chat: boolean) {
    super(scope, 'Tickets');
    // A key of its own: with the key that AWS manages for SNS, no alarm can publish.
    this.key = new Key(this, 'Key', {
      description: `Encrypts the tickets of ${names.deployment}`,
      enableKeyRotation: true,
      policy: new PolicyDocument({ statements: [ownedByTheAccount()] }),
      // It encrypts messages on their way and nothing that stays.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const topic = (id: string, name: string): Topic =>
      new Topic(this, id, { topicName: names.of(name), masterKey: this.key, enforceSSL: true });
    this.topic = topic('Topic', 'tickets');
    this.chat = chat ? topic('Chat', 'chat') : undefined;

    this.allowAlarms();
  }

  /** Alarms of this account publish, and encrypt with the key what they publish. */
  private allowAlarms(): void {
    const common = {
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    };
    this.key.addToResourcePolicy(
      // In the policy of a key, every resource is that key.
      new PolicyStatement({
        ...common,
        sid: 'AlarmsEncrypt',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
      }),
    );
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        ...common,
        sid: 'AlarmsPublish',
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
      }),
    );
  }
}

/** Who administers the account says who administers and uses the key; without `kms:*`, which CDK would give. */
function ownedByTheAccount(): PolicyStatement {
  return new PolicyStatement({
    sid: 'OwnedByTheAccount',
    principals: [new AccountRootPrincipal()],
    actions: [
      'kms:CancelKeyDeletion',
      'kms:CreateGrant',
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:DisableKey',
      'kms:DisableKeyRotation',
      'kms:EnableKey',
      'kms:EnableKeyRotation',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GetKeyPolicy',
      'kms:GetKeyRotationStatus',
      'kms:ListGrants',
      'kms:ListKeyPolicies',
      'kms:ListResourceTags',
      'kms:PutKeyPolicy',
      'kms:RevokeGrant',
      'kms:ScheduleKeyDeletion',
      'kms:TagResource',
      'kms:UntagResource',
      'kms:UpdateKeyDescription',
    ],
    resources: ['*'],
  });
}
