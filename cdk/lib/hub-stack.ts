import { Aws, CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import { DeadLetters } from './parts/dead-letters.ts';
import { StopgapFunction } from './parts/function.ts';
import { machineId } from './parts/machine.ts';
import { addMachines } from './parts/machines.ts';
import { PlanningBucket, StateTable } from './parts/storage.ts';
import { TicketTopic } from './parts/ticket-topic.ts';
import { pascal } from './names.ts';
import { FUNCTION_NAMES } from './rights/functions.ts';
import type { Home } from './rights/home.ts';
import type { HubSettings } from './settings.ts';

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
    const { key, topic } = new TicketTopic(this, names);
    const home: Home = {
      names,
      table: table.tableArn,
      bucket: bucket.bucketArn,
      topic: topic.topicArn,
      topicKey: key.keyArn,
      spokes: settings.spokes,
    };
    void DeadLetters;

    const environment = {
      STOPGAP_TABLE: table.tableName,
      STOPGAP_ACCOUNT: Aws.ACCOUNT_ID,
      STOPGAP_BUCKET: bucket.bucketName,
      STOPGAP_TOPIC_ARN: topic.topicArn,
      STOPGAP_EXTERNAL_ID: settings.externalId ?? '',
      STOPGAP_PRUNE: settings.reach.prune,
      STOPGAP_LOG_LEVEL: settings.logLevel,
    };
    const functions = new Map(
      FUNCTION_NAMES.map((name) => [pascal(name), new StopgapFunction(this, { name, settings, home, environment })]),
    );
    const machines = addMachines(this, { settings, functions, bucket: bucket.bucketArn });

    for (const [name, machine] of machines) {
      new CfnOutput(this, `${machineId(name)}Arn`, { value: machine.aliasArn });
    }
    new CfnOutput(this, 'TicketTopicArn', { value: topic.topicArn });
    new CfnOutput(this, 'TableName', { value: table.tableName });
    new CfnOutput(this, 'PlanningBucketName', { value: bucket.bucketName });
  }
}
