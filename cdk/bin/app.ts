import { addStack } from '../lib/add-stack.ts';
import { createApp } from '../lib/app.ts';

const app = createApp();
addStack(app);
app.synth();
