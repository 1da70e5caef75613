import { Aws, CfnResource } from 'aws-cdk-lib';
import { Construct } from 'constructs';

import type { Names } from '../names.ts';
import type { Spokes } from '../rights/home.ts';

/** Lets the spokes send their EC2 and EBS events to the hub's default bus, where the rules of AWS events are. */
export class OpenBus extends Construct {
  constructor(scope: Construct, names: Names, spokes: Spokes) {
    super(scope, 'OpenBus');
    const { accounts, organization } = spokes;
    if (organization !== undefined) {
      // Any account, as long as it is one of the organization. No account can make up an event of an AWS service.
      this.policy(
        'Organization',
        names.of('organization'),
        { AWS: '*' },
        { StringEquals: { 'aws:PrincipalOrgID': organization } },
      );
    }
    for (const account of accounts) {
      this.policy(account, names.of(account), { AWS: `arn:${Aws.PARTITION}:iam::${account}:root` });
    }
  }

  private policy(id: string, statementId: string, principal: object, condition?: object): void {
    // Not CfnEventBusPolicy: it warns of a deprecated property whether that is used or not.
    new CfnResource(this, id, {
      type: 'AWS::Events::EventBusPolicy',
      properties: {
        EventBusName: 'default',
        StatementId: statementId,
        Statement: {
          Sid: statementId,
          Effect: 'Allow',
          Principal: principal,
          Action: 'events:PutEvents',
          Resource: `arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:event-bus/default`,
          Condition: condition,
        },
      },
    });
  }
}
