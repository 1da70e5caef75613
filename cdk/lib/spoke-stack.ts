import { Aws, BootstraplessSynthesizer, CfnCondition, Fn, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import { Forwarding } from './parts/forwarding.ts';
import { SpokeRole } from './parts/spoke-role.ts';
import type { SpokeSettings } from './settings.ts';

/**
 * What another account or Region needs so that the hub backs up its instances. The same template fits everywhere, the
 * hub's own account and Region included, so that it can be spread over an organization as it is: it needs no assets, and
 * no bootstrapping.
 */
export class SpokeStack extends Stack {
  constructor(scope: Construct, settings: SpokeSettings) {
    super(scope, 'StopgapSpoke', {
      stackName: settings.names.spokeStack,
      description: 'stopgap: lets the hub back up the instances of this account, and tells it of their events.',
      synthesizer: new BootstraplessSynthesizer(),
    });
    const { hub } = settings;
    const inHubAccount = Fn.conditionEquals(Aws.ACCOUNT_ID, hub.account);
    const inHubRegion = Fn.conditionEquals(Aws.REGION, hub.region);

    // Roles are of the whole account: one of the stacks in its Regions makes it. The hub's own account needs none.
    const role = new CfnCondition(this, 'RoleIsHere', {
      expression: Fn.conditionAnd(inHubRegion, Fn.conditionNot(inHubAccount)),
    });
    // A bus that forwarded its events to itself would do so for ever.
    const forwarding = new CfnCondition(this, 'HubIsElsewhere', {
      expression: Fn.conditionNot(Fn.conditionAnd(inHubRegion, inHubAccount)),
    });
    new SpokeRole(this, settings, role);
    new Forwarding(this, settings, forwarding);
  }
}
