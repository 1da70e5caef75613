import { addStack } from '../lib/add-stack.ts';
import { createApp } from '../lib/app.ts';
import { SettingsError } from '../lib/settings.ts';

const app = createApp();
try {
  addStack(app);
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) {
    throw error;
  }
  // The person's to mend: where in the code it was found is of no use to them.
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
