import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { HubStack } from './hub-stack.ts';
import { hubSettings } from './settings.ts';

/** Adds the stack that the context asks for, and what checks it. */
export function addStacks(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  new HubStack(app, hubSettings(app.node));
}
