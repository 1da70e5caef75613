import path from 'node:path';

import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Code, Function, Runtime, Tracing, type Version } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { pascal } from '../names.ts';
import { type FunctionName, rightsAtHome, rightsOnInstances } from '../rights/functions.ts';
import { giveUp, type Home, publishTickets, reachSpokes, trace, writeLog, writePlans } from '../rights/home.ts';
import { RightfulRole, type Right } from '../rights/right.ts';
import type { HubSettings } from '../settings.ts';

/** What a function is made of. */
export interface StopgapFunctionProps {
  readonly name: FunctionName;
  readonly settings: HubSettings;
  readonly home: Home;
  /** Where events that could not be handled go, if any are sent to this function. */
  readonly unhandled: IQueue | undefined;
}

/** A function with its role and its log group. */
export class StopgapFunction extends Construct {
  readonly name: FunctionName;
  readonly function: Function;
  /** What the state machines call: an immutable version, so that an older release can be gone back to. */
  readonly version: Version;

  constructor(scope: Construct, props: StopgapFunctionProps) {
    super(scope, pascal(props.name));
    const { name, settings, home } = props;
    this.name = name;
    const functionName = settings.names.of(name);

    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: settings.logRetention,
      // What must outlast a deployment is in the table.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const onInstances = rightsOnInstances(name, settings.reach);
    const atHome = rightsAtHome(name, home);
    const reaches = onInstances.length > 0;
    const { role } = new RightfulRole(this, 'Rights', {
      roleName: settings.names.functionRole(name),
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${functionName} may do`,
      rights: [
        writeLog(logGroup.logGroupArn),
        trace,
        ...atHome,
        ...onInstances,
        ...(reaches ? reachSpokes(home) : []),
        ...(props.unhandled === undefined ? [] : [giveUp(props.unhandled.queueArn)]),
      ],
    });

    this.function = new Function(this, 'Function', {
      functionName,
      runtime: Runtime.PROVIDED_AL2023,
      architecture: settings.architecture,
      handler: 'bootstrap',
      code: Code.fromAsset(path.join(settings.artifacts, name)),
      role: role.withoutPolicyUpdates(),
      logGroup,
      tracing: Tracing.ACTIVE,
      environment: environment(settings, home, { reaches, rights: atHome }),
      ...sizes(name),
      // State machines of earlier releases, and executions still under way, call earlier versions.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    this.version = this.function.currentVersion;
    if (props.unhandled !== undefined) {
      this.function.configureAsyncInvoke({
        onFailure: new SqsDestination(props.unhandled),
        retryAttempts: 2,
        maxEventAge: Duration.hours(1),
      });
    }
  }
}

/** What a function is told, and nothing that it has no use for: a change would make a new version of it. */
function environment(
  settings: HubSettings,
  home: Home,
  needs: { readonly reaches: boolean; readonly rights: readonly Right[] },
): Record<string, string> {
  const may = (right: Right): boolean => needs.rights.some(({ sid }) => sid === right.sid);
  const tells = publishTickets(home).some(may);
  return {
    STOPGAP_TABLE: home.table.tableName,
    STOPGAP_ACCOUNT: Aws.ACCOUNT_ID,
    STOPGAP_LOG_LEVEL: settings.logLevel,
    STOPGAP_PRUNE: settings.reach.prune,
    ...(may(writePlans(home)) ? { STOPGAP_BUCKET: home.bucket.bucketName } : {}),
    ...(tells ? { STOPGAP_TOPIC_ARN: home.topic.topicArn } : {}),
    ...(tells && home.chat !== undefined ? { STOPGAP_CHAT_TOPIC_ARN: home.chat.topicArn } : {}),
    ...(needs.reaches && settings.externalId !== undefined ? { STOPGAP_EXTERNAL_ID: settings.externalId } : {}),
  };
}

/** A state waits a little longer than its function may take (65 s, and 900 s for the plan). */
function sizes(name: FunctionName): { timeout: Duration; memorySize: number } {
  return name === 'plan-fleet'
    ? { timeout: Duration.seconds(840), memorySize: 1024 }
    : { timeout: Duration.seconds(60), memorySize: 256 };
}
