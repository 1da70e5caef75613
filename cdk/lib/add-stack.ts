import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { HubStack } from './hub-stack.ts';
import { hubSettings, namesAHub, spokeSettings } from './settings.ts';
import { SpokeStack } from './spoke-stack.ts';

/**
 * Adds the stack that the context asks for: the spoke where it names a hub, else the hub. Never both: they are deployed
 * with the credentials of different accounts, and a spoke needs no functions to be built.
 */
export function addStack(app: App): HubStack | SpokeStack {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return namesAHub(app.node) ? new SpokeStack(app, spokeSettings(app.node)) : new HubStack(app, hubSettings(app.node));
}
