import { LOOK, TICK } from './parts/schedule.ts';

// List prices of us-east-1 in dollars a month, November 2026, without any free tier.
const KEY = 1;
const ALARM = 0.1;
const DASHBOARD = 3;
const METRIC = 0.3;
const TRANSITION = 0.025 / 1000;
const GIGABYTE_SECOND = 0.0000133334;

const MINUTES_A_MONTH = (365 / 12) * 24 * 60;

/** What `plan-fleet` measures at every tick, due or not, and `find-debts` at every look (`Measured` of the two tasks). */
const METRICS_AT_REST = 4 + 2;
/** PlanFleet, IsThereWork, Planned. */
const TRANSITIONS_A_TICK = 3;
/** IsOneDebt, FindDebts, Rescue, Looked. */
const TRANSITIONS_A_LOOK = 4;
/** How long `plan-fleet` is taken to run when there is little to read, in seconds. */
const PLANNING = 1;

/** A part of the cost. */
export interface Cost {
  readonly what: string;
  readonly dollars: number;
}

/** A template, as far as costs go. */
interface Billed {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
}

/** What a deployed hub costs a month while nothing is due: what its template has, and what its schedule does. */
export function idleCost(template: Billed): Cost[] {
  const all = Object.values(template.Resources);
  const count = (type: string): number => all.filter((resource) => resource.Type === type).length;
  const planner = all.find((resource) => String(resource.Properties?.['FunctionName']).endsWith('-plan-fleet'));
  const gigabytes = Number(planner?.Properties?.['MemorySize']) / 1024;
  const [keys, alarms, dashboards] = [
    count('AWS::KMS::Key'),
    count('AWS::CloudWatch::Alarm'),
    count('AWS::CloudWatch::Dashboard'),
  ];
  const ticks = Math.round(MINUTES_A_MONTH / TICK.toMinutes());
  const looks = Math.round(MINUTES_A_MONTH / LOOK.toMinutes());
  return [
    { what: `${keys} KMS key`, dollars: keys * KEY },
    { what: `${alarms} alarms`, dollars: alarms * ALARM },
    { what: `${dashboards} dashboard (the first three of an account are free)`, dollars: dashboards * DASHBOARD },
    { what: `${METRICS_AT_REST} metrics of the planner and the rescuer`, dollars: METRICS_AT_REST * METRIC },
    {
      what: `${ticks} ticks of ${TRANSITIONS_A_TICK} state transitions (the first 4,000 are free)`,
      dollars: ticks * TRANSITIONS_A_TICK * TRANSITION,
    },
    {
      what: `${looks} looks of the rescuer, of ${TRANSITIONS_A_LOOK} state transitions`,
      dollars: looks * TRANSITIONS_A_LOOK * TRANSITION,
    },
    {
      what: `${ticks} plans of ${PLANNING} s with ${gigabytes} GB of memory`,
      dollars: ticks * PLANNING * gigabytes * GIGABYTE_SECOND,
    },
  ];
}

/** The costs as a Markdown table, with their sum. */
export function costTable(costs: readonly Cost[]): string {
  const sum = costs.reduce((total, { dollars }) => total + dollars, 0);
  const row = (what: string, dollars: number): string => `| ${what} | ${dollars.toFixed(2)} |`;
  const rows = costs.map(({ what, dollars }) => row(what, dollars));
  return ['| What | $ a month |', '|---|---|', ...rows, row('**together**', sum), ''].join('\n');
}
