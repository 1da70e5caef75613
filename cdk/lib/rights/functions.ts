import {
  createSnapshots,
  deleteAdoptedSnapshots,
  deleteOwnSnapshots,
  deregisterTargets,
  type OptInTag,
  registerTargets,
  restoreAlarms,
  returnMembers,
  seeAlarms,
  seeInstances,
  seeMembers,
  seeSnapshots,
  seeTargetGroups,
  seeTargets,
  seeVolumes,
  seeWhatAStopCosts,
  shieldMembers,
  silenceAlarms,
  startInstances,
  stopInstances,
  tagOwnSnapshots,
} from './instances.ts';
import {
  answerTokens,
  type Home,
  listExecutions,
  publishTickets,
  readTable,
  seeExecutions,
  seeHistories,
  writePlans,
  writeTable,
} from './home.ts';
import type { Right } from './right.ts';

/** What decides how much the functions may do to instances. */
export interface Reach {
  readonly optInTag: OptInTag;
  /** `report`: pruning says what it would delete, and cannot delete. */
  readonly prune: 'report' | 'delete';
  /** Whether pruning may delete what ebs_snapper left behind, too. */
  readonly adopt?: boolean;
}

/** The rights of one function: on instances (at home, and through the spoke role), and on the hub's own parts. */
interface Needs {
  readonly instances: (reach: Reach) => readonly Right[];
  readonly home: (home: Home) => readonly Right[];
}

const nothing = (): Right[] => [];
const always =
  (...rights: Right[]) =>
  (): Right[] =>
    rights;
const onlyReads = (home: Home): Right[] => [readTable(home)];
const writes = (home: Home): Right[] => [readTable(home), writeTable(home)];
const tells = (home: Home): Right[] => [...writes(home), ...publishTickets(home)];

/** What pruning may delete. */
function mayDelete({ prune, adopt = false }: Reach): Right[] {
  if (prune === 'report') {
    return [];
  }
  return adopt ? [deleteOwnSnapshots, deleteAdoptedSnapshots] : [deleteOwnSnapshots];
}

function prunes(reach: Reach): Right[] {
  return [seeInstances, seeSnapshots, ...mayDelete(reach)];
}

/** What a run has to know of that stands around an instance. */
const seeWhatIsAround: readonly Right[] = [seeMembers, seeAlarms, seeTargetGroups, seeTargets];

/**
 * Every function and what it needs, as its task in `functions/core/src/tasks` says under "Needs". A test holds this table
 * against the list of tasks and the services that each declares.
 */
export const FUNCTIONS = {
  'plan-fleet': {
    instances: always(seeInstances, seeVolumes, seeSnapshots),
    home: (home) => [...tells(home), writePlans(home)],
  },
  'resolve-run': { instances: always(seeInstances), home: onlyReads },
  'prepare-run': {
    instances: always(seeInstances, seeVolumes, seeSnapshots, ...seeWhatAStopCosts, ...seeWhatIsAround),
    home: (home) => [...writes(home), seeExecutions(home)],
  },
  'enter-standby': { instances: always(seeMembers, shieldMembers), home: onlyReads },
  'deregister-targets': { instances: always(seeTargetGroups, seeTargets, deregisterTargets), home: onlyReads },
  'silence-alarms': { instances: always(seeAlarms, silenceAlarms), home: onlyReads },
  'stop-instance': { instances: (reach) => [stopInstances(reach.optInTag)], home: onlyReads },
  wait: { instances: always(seeInstances, seeSnapshots), home: (home) => [...writes(home), answerTokens(home)] },
  wake: { instances: always(seeInstances, seeSnapshots), home: (home) => [...onlyReads(home), answerTokens(home)] },
  'create-snapshots': { instances: always(seeInstances, seeVolumes, seeSnapshots, ...createSnapshots), home: writes },
  'start-instance': { instances: (reach) => [seeInstances, ...startInstances(reach.optInTag)], home: onlyReads },
  'leave-standby': { instances: always(seeMembers, returnMembers), home: onlyReads },
  'register-targets': { instances: always(seeTargetGroups, seeTargets, registerTargets), home: onlyReads },
  'confirm-running': { instances: always(seeInstances), home: writes },
  'restore-alarms': { instances: always(seeAlarms, restoreAlarms), home: writes },
  'copy-tags': { instances: always(seeInstances, seeVolumes, tagOwnSnapshots), home: onlyReads },
  'prune-snapshots': { instances: prunes, home: writes },
  'prune-orphans': { instances: prunes, home: tells },
  'close-run': { instances: nothing, home: tells },
  'find-debts': { instances: nothing, home: (home) => [...tells(home), listExecutions(home)] },
  'take-over': {
    instances: always(seeInstances),
    home: (home) => [...writes(home), seeExecutions(home), seeHistories(home)],
  },
  notify: { instances: nothing, home: tells },
} as const satisfies Record<string, Needs>;

/** A function's name: `stop-instance`. */
export type FunctionName = keyof typeof FUNCTIONS;

/** The names of all functions. */
export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** What a function may do to instances, in its own account or in a spoke. */
export function rightsOnInstances(name: FunctionName, reach: Reach): readonly Right[] {
  return (FUNCTIONS[name] as Needs).instances(reach);
}

/** What a function may do with the hub's own parts. */
export function rightsAtHome(name: FunctionName, home: Home): readonly Right[] {
  return (FUNCTIONS[name] as Needs).home(home);
}
