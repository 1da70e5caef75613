import type { Construct } from 'constructs';

import { type MachineFile, machineFiles } from '../machine-file.ts';
import { rightsOfMachine } from '../rights/machines.ts';
import type { HubSettings } from '../settings.ts';
import type { StopgapFunction } from './function.ts';
import { Machine, machineId } from './machine.ts';

/** What the state machines name, beside each other. */
export interface Surroundings {
  readonly settings: HubSettings;
  /** By id: `StopInstance`. */
  readonly functions: ReadonlyMap<string, StopgapFunction>;
  /** The planning bucket's ARN. */
  readonly bucket: string;
}

/**
 * Makes a state machine of every file, those first that others start.
 *
 * @throws if a placeholder names neither a function nor a machine, or if machines start each other in a circle.
 */
export function addMachines(
  scope: Construct,
  around: Surroundings,
  files: readonly MachineFile[] = machineFiles(),
): Map<string, Machine> {
  const byId = new Map(files.map((file) => [machineId(file.name), file]));
  const made = new Map<string, Machine>();

  const make = (file: MachineFile, startedBy: readonly string[]): Machine => {
    const known = made.get(file.name);
    if (known !== undefined) {
      return known;
    }
    if (startedBy.includes(file.name)) {
      throw new Error(`state machines start each other in a circle: ${[...startedBy, file.name].join(' → ')}`);
    }
    const substitutions: Record<string, string> = {};
    const functions: string[] = [];
    const machines: string[] = [];
    for (const placeholder of file.placeholders) {
      const task = around.functions.get(placeholder);
      const other = byId.get(placeholder);
      if (task !== undefined) {
        substitutions[placeholder] = task.version.functionArn;
        functions.push(task.function.functionArn);
      } else if (other !== undefined) {
        substitutions[placeholder] = make(other, [...startedBy, file.name]).aliasArn;
        machines.push(other.name);
      } else {
        throw new Error(
          `${file.path}: \${${placeholder}} is neither a function (${[...around.functions.keys()].join(', ')}) ` +
            `nor a state machine (${[...byId.keys()].join(', ')})`,
        );
      }
    }
    const rights = rightsOfMachine(around.settings.names, { file, functions, machines, bucket: around.bucket });
    const machine = new Machine(scope, { file, settings: around.settings, rights, substitutions });
    made.set(file.name, machine);
    return machine;
  };

  for (const file of files) {
    make(file, []);
  }
  return made;
}
