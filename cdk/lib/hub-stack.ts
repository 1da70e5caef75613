import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import { pascal } from './names.ts';
import { Alarms } from './parts/alarms.ts';
import { Overview } from './parts/dashboard.ts';
import { DeadLetters } from './parts/dead-letters.ts';
import { EndedExecutions } from './parts/ended-executions.ts';
import { StopgapFunction } from './parts/function.ts';
import { machineId } from './parts/machine.ts';
import { addMachines } from './parts/machines.ts';
import { OpenBus } from './parts/open-bus.ts';
import { LOOK, MachineSchedule, TICK } from './parts/schedule.ts';
import { PlanningBucket, StateTable } from './parts/storage.ts';
import { TicketTopic } from './parts/ticket-topic.ts';
import { WakeRules } from './parts/wake-rules.ts';
import { FUNCTION_NAMES, type FunctionName } from './rights/functions.ts';
import type { Home } from './rights/home.ts';
import type { HubSettings } from './settings.ts';

/** The functions that events are sent to, and that nobody waits for then. */
const FED_BY_EVENTS: readonly FunctionName[] = ['notify', 'wake'];

/** Everything that runs: one for each account and Region from which backups are made. */
export class HubStack extends Stack {
  constructor(scope: Construct, settings: HubSettings) {
    const { names } = settings;
    super(scope, 'Stopgap', {
      stackName: names.hubStack,
      description: 'stopgap: stop, snapshot, start; with the gap as short as EC2 allows, and never left open.',
    });
    const { table } = new StateTable(this, names);
    const { bucket } = new PlanningBucket(this);
    const { key: topicKey, topic, chat } = new TicketTopic(this, names, settings.chat);
    const home: Home = { names, table, bucket, topic, chat, topicKey, spokes: settings.spokes };

    const undelivered = new DeadLetters(this, 'Undelivered', names.of('undelivered'));
    const unhandled = new DeadLetters(this, 'Unhandled', names.of('unhandled'));
    const deadLetters = [undelivered, unhandled];

    const tasks = FUNCTION_NAMES.map((name) => {
      const fed = FED_BY_EVENTS.includes(name);
      return new StopgapFunction(this, { name, settings, home, unhandled: fed ? unhandled.queue : undefined });
    });
    const functions = new Map(tasks.map((task) => [pascal(task.name), task]));
    const machines = addMachines(this, { settings, functions, bucket: bucket.bucketArn });
    const [fleet, instance, rescue] = [get(machines, 'fleet'), get(machines, 'instance'), get(machines, 'rescue')];

    new MachineSchedule(this, 'Schedule', {
      ...{ names, machine: fleet, does: 'plans what is due', every: TICK, undelivered: undelivered.queue },
      // Which tick it is: no task plans by its own clock.
      input: { at: '<aws.scheduler.scheduled-time>' },
    });
    new MachineSchedule(this, 'RescueSchedule', {
      ...{ names, machine: rescue, does: 'looks for instances left stopped', every: LOOK },
      ...{ input: {}, undelivered: undelivered.queue },
    });
    new WakeRules(this, get(functions, 'Wake').function, undelivered.queue);
    const notify = get(functions, 'Notify').function;
    new EndedExecutions(this, { names, fleet, instance, rescue, notify, undelivered: undelivered.queue });
    new OpenBus(this, names, settings.spokes);

    const watched = { names, machines: [...machines.values()], functions: tasks, deadLetters };
    new Alarms(this, { ...watched, topic });
    new Overview(this, watched);

    for (const machine of machines.values()) {
      new CfnOutput(this, `${machineId(machine.name)}Arn`, { value: machine.aliasArn });
    }
    new CfnOutput(this, 'TicketTopicArn', { value: topic.topicArn });
    if (chat !== undefined) {
      new CfnOutput(this, 'ChatTopicArn', { value: chat.topicArn });
    }
    new CfnOutput(this, 'TableName', { value: table.tableName });
    new CfnOutput(this, 'PlanningBucketName', { value: bucket.bucketName });
  }
}

function get<T>(parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name);
  if (part === undefined) {
    throw new Error(`the hub needs ${name}, and there are only ${[...parts.keys()].join(', ')}`);
  }
  return part;
}
