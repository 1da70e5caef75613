import { readFileSync } from 'node:fs';
import path from 'node:path';

import { App } from 'aws-cdk-lib';

import { addStack } from '../lib/add-stack.ts';

// The feature flags come from cdk.json also when no CDK CLI hands them over, so that both ways give the same templates:
// `cdk synth`, and `CDK_OUTDIR=… CDK_CONTEXT_JSON=… node --import tsx bin/app.ts`.
const settings = JSON.parse(readFileSync(path.join(import.meta.dirname, '../cdk.json'), 'utf8')) as {
  context: Record<string, unknown>;
};

const app = new App({ context: settings.context });
addStack(app);
app.synth();
