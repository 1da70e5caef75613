import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

import type { Names } from '../names.ts';

/** The one table: policies, leases, intents, slots, waiting tokens, runs, tickets. */
export class StateTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, names: Names) {
    super(scope, 'State');
    // Not TableV2: what that adds, replicas in other Regions, is no use here, since leases need one home.
    this.table = new Table(this, 'Table', {
      tableName: names.table,
      partitionKey: { name: 'partition', type: AttributeType.STRING },
      sortKey: { name: 'sort', type: AttributeType.STRING },
      timeToLiveAttribute: 'expires_at',
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      // It holds the policies and what is owed to which instance. A new deployment takes it over by its name:
      // `cdk deploy --import-existing-resources`.
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}

/** Where `plan-fleet` leaves the plan that the fleet's Distributed Map reads a moment later. */
export class PlanningBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct) {
    super(scope, 'Planning');
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // A plan is written once and can be made again; older versions of it are of no use to anyone.
      versioned: false,
      lifecycleRules: [
        {
          // Long enough to read what a night was planned from.
          expiration: Duration.days(7),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      // CloudFormation cannot delete a bucket that is not empty, and emptying it would take a function with more rights
      // than any here. What is left empties itself within days. (Where creating the stack fails, nothing is in it yet.)
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would outweigh the plans, which hold instance ids and times, are read by one role and expire in days.',
    });
  }
}
