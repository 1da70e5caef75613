import { readFileSync } from 'node:fs';
import path from 'node:path';

import { App } from 'aws-cdk-lib';

const cdkJson = path.join(import.meta.dirname, '../cdk.json');

/**
 * An app with the feature flags of `cdk.json`, also when no CDK CLI hands them over, so that every way of synthesizing
 * gives the same templates. Beside them, the context of the CLI or of `CDK_CONTEXT_JSON`, and what is given here.
 */
export function createApp(context: Readonly<Record<string, unknown>> = {}, outdir?: string): App {
  const flags = (JSON.parse(readFileSync(cdkJson, 'utf8')) as { context: Record<string, unknown> }).context;
  return new App({ context: { ...flags, ...context }, outdir });
}
