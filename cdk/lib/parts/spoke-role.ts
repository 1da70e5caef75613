import type { CfnCondition } from 'aws-cdk-lib';
import { AccountPrincipal, type CfnRole, PrincipalWithConditions } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

import { FUNCTION_NAMES, rightsOnInstances } from '../rights/functions.ts';
import { RightfulRole } from '../rights/right.ts';
import type { SpokeSettings } from '../settings.ts';

/** The role that the hub's functions assume in this account: what they may do at home to instances, and no more. */
export class SpokeRole extends Construct {
  constructor(scope: Construct, settings: SpokeSettings, condition: CfnCondition) {
    super(scope, 'Spoke');
    const { names, hub, reach } = settings;
    const reaching = FUNCTION_NAMES.filter((name) => rightsOnInstances(name, reach).length > 0);
    // Partition and account are the principal's: what is spelled out twice would take the room that a trust policy has.
    const trusted = reaching.map((name) => `arn:*:iam::*:role/${names.functionRole(name, hub.region)}`);
    const { role } = new RightfulRole(this, 'Rights', {
      roleName: names.spokeRole,
      // The account in whole, and of it only the functions' roles by name: a role named as principal would have to be
      // there before this one, and would be forgotten when it is made anew.
      assumedBy: new PrincipalWithConditions(new AccountPrincipal(hub.account), {
        StringEquals: { 'sts:ExternalId': settings.externalId },
        ArnLike: { 'aws:PrincipalArn': trusted },
      }),
      description: `What the functions of ${names.deployment} in ${hub.account} may do here`,
      rights: reaching.flatMap((name) => rightsOnInstances(name, reach)),
    });
    (role.node.defaultChild as CfnRole).cfnOptions.condition = condition;
  }
}
