import { existsSync } from 'node:fs';
import path from 'node:path';

import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { LogLevel } from 'aws-cdk-lib/aws-stepfunctions';
import type { Node } from 'constructs';

import { Names } from './names.ts';
import { FUNCTION_NAMES, type Reach } from './rights/functions.ts';
import type { Spokes } from './rights/home.ts';

/** The account and Region of a hub, as a spoke names it. */
export interface HubPlace {
  readonly account: string;
  readonly region: string;
}

/** What the context says of both stacks. */
export interface CommonSettings {
  readonly names: Names;
  readonly reach: Reach;
  /** What the functions and the spoke role agree on (`sts:ExternalId`). */
  readonly externalId: string | undefined;
}

/** What the context says of the hub. */
export interface HubSettings extends CommonSettings {
  /** The folder that holds `<verb-noun>/bootstrap`. */
  readonly artifacts: string;
  readonly architecture: Architecture;
  readonly spokes: Spokes;
  /** Whether chat applications have a topic of their own. */
  readonly chat: boolean;
  /** What the functions log (`STOPGAP_LOG_LEVEL`). */
  readonly logLevel: string;
  /** What the state machines log. */
  readonly machineLogLevel: LogLevel;
  readonly logRetention: RetentionDays;
}

/** What the context says of a spoke. */
export interface SpokeSettings extends CommonSettings {
  readonly hub: HubPlace;
  readonly externalId: string;
}

/** The context values there are. `cdk/README.md` documents each; a test holds it against this list. */
export const CONTEXT_VALUES = [
  'adopt',
  'architecture',
  'artifacts',
  'chat',
  'externalId',
  'hub',
  'logDays',
  'logLevel',
  'machineLogLevel',
  'name',
  'optInTag',
  'organization',
  'prune',
  'spokes',
] as const;

type ContextValue = (typeof CONTEXT_VALUES)[number];

/** A context value, or what it names, is not what it has to be. The message says all there is to say. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const repository = path.resolve(import.meta.dirname, '../..');

/** The architecture as folders, context and the build script name it. */
function spelled(architecture: Architecture): 'arm64' | 'x86_64' {
  return architecture === Architecture.ARM_64 ? 'arm64' : 'x86_64';
}

/**
 * Reads the hub's settings.
 *
 * @throws if a value is not what it has to be, saying what would be right.
 */
export function hubSettings(node: Node): HubSettings {
  const architecture = readArchitecture(node);
  const common = commonSettings(node);
  const spokes = readSpokes(node);
  if (common.externalId === undefined && (spokes.accounts.length > 0 || spokes.organization !== undefined)) {
    throw wrong('externalId', 'is not given', 'a text that hub and spokes agree on, since there are spokes');
  }
  return {
    ...common,
    artifacts: readArtifacts(node, architecture),
    architecture,
    spokes,
    chat: readMatching(node, 'chat', /^amazon-q$/, 'amazon-q: a second topic, for chat applications') !== undefined,
    logLevel:
      readMatching(
        node,
        'logLevel',
        LOG_LEVEL,
        'error, warn, info, debug, trace, or targets as in info,stopgap_core=debug',
      ) ?? 'info',
    machineLogLevel: readMachineLogLevel(node),
    logRetention: readLogRetention(node),
  };
}

/** Whether the context asks for a spoke. */
export function namesAHub(node: Node): boolean {
  return readText(node, 'hub') !== undefined;
}

/**
 * Reads the spoke's settings.
 *
 * @throws if a value is not what it has to be, saying what would be right.
 */
export function spokeSettings(node: Node): SpokeSettings {
  const common = commonSettings(node);
  const { externalId } = common;
  if (externalId === undefined) {
    throw wrong('externalId', 'is not given', 'the one that the hub was deployed with');
  }
  const hub = readMatching(node, 'hub', /^\d{12}\/[a-z]{2}(-[a-z]+)+-\d$/, HUB) ?? '';
  const [account, region] = hub.split('/');
  if (account === undefined || region === undefined) {
    throw wrong('hub', 'is not given', HUB);
  }
  return { ...common, externalId, hub: { account, region } };
}

const HUB = "the hub's account and Region, as in 111122223333/eu-west-1";
const LOG_LEVEL = /^[a-z_:]+(=[a-z]+)?(,[a-z_:]+(=[a-z]+)?)*$/;
// What CloudWatch Logs takes, up to a year.
const LOG_DAYS = new Map<string, RetentionDays>([
  ['1', RetentionDays.ONE_DAY],
  ['3', RetentionDays.THREE_DAYS],
  ['7', RetentionDays.ONE_WEEK],
  ['14', RetentionDays.TWO_WEEKS],
  ['30', RetentionDays.ONE_MONTH],
  ['60', RetentionDays.TWO_MONTHS],
  ['90', RetentionDays.THREE_MONTHS],
  ['180', RetentionDays.SIX_MONTHS],
  ['365', RetentionDays.ONE_YEAR],
]);

function commonSettings(node: Node): CommonSettings {
  // Twenty characters leave room for the longest function and Region within the 64 of a role's name.
  const name = readMatching(
    node,
    'name',
    /^[a-z][a-z0-9-]{0,19}$/,
    'up to 20 of a-z, 0-9 and -, beginning with a letter',
  );
  const optInTag = readMatching(
    node,
    'optInTag',
    /^(?!aws:)[^=*?]{1,128}(=[^=*?]{0,256})?$/,
    'the key of a tag, or key=value',
  );
  const adopt = readMatching(node, 'adopt', /^ebs-snapper$/, 'ebs-snapper: pruning may delete its snapshots too');
  const prune = readMatching(node, 'prune', /^(delete|report)$/, 'delete or report');
  return {
    names: new Names(name ?? 'stopgap'),
    reach: { optInTag, prune: prune === 'report' ? 'report' : 'delete', adopt: adopt !== undefined },
    externalId: readExternalId(node),
  };
}

function readArchitecture(node: Node): Architecture {
  const value = readMatching(node, 'architecture', /^(arm64|x86_64)$/, 'arm64 or x86_64');
  return value === 'x86_64' ? Architecture.X86_64 : Architecture.ARM_64;
}

function readArtifacts(node: Node, architecture: Architecture): string {
  const given = readText(node, 'artifacts');
  const builtTo = path.join(repository, 'target/lambda', spelled(architecture));
  const folder = given === undefined ? builtTo : path.resolve(given);
  const missing = FUNCTION_NAMES.filter((name) => !existsSync(path.join(folder, name, 'bootstrap')));
  if (missing.length > 0) {
    const all = missing.length === FUNCTION_NAMES.length;
    throw new SettingsError(
      `the folder ${folder} has no ${all ? 'functions' : missing.map((name) => `${name}/bootstrap`).join(', ')}: ` +
        `\`functions/build.sh ${spelled(architecture)}\` builds the functions; ` +
        'the context value artifacts names another folder.',
    );
  }
  return folder;
}

function readSpokes(node: Node): Spokes {
  const accounts = readMatching(node, 'spokes', /^\d{12}(,\d{12})*$/, 'account ids, as in 111122223333,444455556666');
  const organization = readMatching(
    node,
    'organization',
    /^o-[a-z0-9]{10,32}$/,
    "an organization's id, as in o-a1b2c3d4e5",
  );
  if (accounts !== undefined && organization !== undefined) {
    throw wrong('spokes', 'is given beside organization', 'one of the two');
  }
  return { accounts: accounts?.split(',') ?? [], organization };
}

function readExternalId(node: Node): string | undefined {
  return readMatching(node, 'externalId', /^[\w+=,.@:/-]{2,256}$/, '2 to 256 of A-Z, a-z, 0-9 and +=,.@:/-_');
}

function readMachineLogLevel(node: Node): LogLevel {
  // With execution data left out, errors are what a log adds to the history that Step Functions keeps for 90 days.
  const value = readText(node, 'machineLogLevel') ?? LogLevel.ERROR;
  const level = Object.values(LogLevel).find((known: string) => value === known);
  if (level === undefined) {
    throw wrong('machineLogLevel', `is ${value}`, `one of ${Object.values(LogLevel).join(', ')}`);
  }
  return level;
}

function readLogRetention(node: Node): RetentionDays {
  const days = readText(node, 'logDays') ?? '30';
  const retention = LOG_DAYS.get(days);
  if (retention === undefined) {
    throw wrong('logDays', `is ${days}`, `one of ${[...LOG_DAYS.keys()].join(', ')}`);
  }
  return retention;
}

function readMatching(node: Node, key: ContextValue, pattern: RegExp, right: string): string | undefined {
  const value = readText(node, key);
  if (value !== undefined && !pattern.test(value)) {
    throw wrong(key, `is ${value}`, right);
  }
  return value;
}

/** A context value as text. `-c key=value` always gives text; `cdk.json` may give numbers. Empty is as good as absent. */
function readText(node: Node, key: ContextValue): string | undefined {
  const value: unknown = node.tryGetContext(key);
  if (value === undefined || value === null || value === '') {
    return undefined;
  }
  if (typeof value === 'string' || typeof value === 'number') {
    return String(value);
  }
  throw wrong(key, `is ${JSON.stringify(value)}`, 'a text');
}

function wrong(key: ContextValue, what: string, right: string): SettingsError {
  return new SettingsError(`the context value ${key} ${what}; it has to be ${right}`);
}
