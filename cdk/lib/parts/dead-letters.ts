import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** Keeps what an asynchronous edge could not deliver, so that it can be read, mended and sent again. */
export class DeadLetters extends Construct {
  readonly name: string;
  readonly queue: Queue;

  constructor(scope: Construct, id: string, name: string) {
    super(scope, id);
    this.name = name;
    this.queue = new Queue(this, 'Queue', {
      queueName: name,
      // Not the key of the topic: EventBridge, Scheduler and Lambda would each need a grant on it.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself. Nothing receives from it but a person.',
    });
  }
}
