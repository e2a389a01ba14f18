// `drain`: an instance accepts nothing new, so that it can be stopped without interrupting users.

import { setTimeout } from 'node:timers/promises'
import { type ProcessReport, readProcesses } from '../../ops/heartbeat.ts'
import { type Command, type Context, flag, type Result, text, textOf } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { tableLines } from '../render.ts'
import { durationMs } from '../values.ts'

const LOOK_MS = 1000

export const drain: Command = {
  name: 'drain',
  takes: '[INSTANCE [--undo] [--wait TIME] [--yes]]',
  summary: 'shows the processes, or drains an instance before it is stopped: it accepts nothing new',
  help: [
    'Without INSTANCE: shows all processes, and changes nothing. INSTANCE is host:OPS_PORT, as in this list.',
    '--undo       ends draining; a restart of the processes does the same',
    '--wait TIME  waits until no uploads are running on it; exit code 1 if the time is over',
    '--yes        drains it even if no other instance accepts new uploads; without it that is refused (exit code 1)',
    'A draining service is not ready, refuses creations (503 DRAINING), and continues running uploads. A draining worker takes no new jobs.',
  ],
  options: { undo: flag, wait: text, yes: flag },
  prepare(positionals, values) {
    const [instance, ...rest] = positionals
    if (rest.length > 0) throw usageError('drain one instance at a time')
    const wait = textOf(values, 'wait')
    const waitMs = wait === undefined ? 0 : durationMs(wait, '--wait')
    const undo = values['undo'] === true
    const yes = values['yes'] === true
    if (instance !== undefined) return (context) => run(context, instance, { undo, yes, waitMs })
    if (undo || yes || wait !== undefined)
      throw usageError('drain: which instance? songngan drain without options lists them')
    return shown
  },
}

async function shown(context: Context): Promise<Result> {
  const [processes, intake] = await Promise.all([alive(context), context.controls.intake()])
  const closed = intake.accepting.length === 0 ? ['No service accepts new uploads.'] : []
  return { json: { ...intake, processes }, text: [...tableLines(processes.map(row), HEAD), ...closed] }
}

async function run(
  context: Context,
  instance: string,
  { undo, yes, waitMs }: { undo: boolean; yes: boolean; waitMs: number },
): Promise<Result> {
  const { controls, operator } = context
  const instances = [...new Set((await alive(context)).map((one) => one.instance))]
  if (!instances.includes(instance))
    throw new CliError(`No process of "${instance}" is alive. Alive: ${instances.join(', ') || 'none'}`, EXIT.notFound)
  if (undo) await controls.endDrain(operator, instance)
  else if (!(await controls.drain(operator, instance, { evenLast: yes })))
    throw new CliError(
      `${instance} is the last instance that accepts new uploads: nothing was changed. Add --yes to drain it all the same.`,
    )
  // Processes read the settings every second and send heartbeats every two seconds.
  const untilMs = Date.now() + Math.max(waitMs, 5000)
  for (;;) {
    const processes = (await alive(context)).filter((one) => one.instance === instance)
    const obeyed = processes.every(({ draining }) => draining === !undo)
    const quiet = processes.every(({ sending }) => sending === 0)
    if ((obeyed && (quiet || waitMs === 0)) || Date.now() > untilMs) {
      const done = obeyed && (quiet || waitMs === 0)
      return {
        json: { instance, draining: !undo, inForce: obeyed, quiet, processes },
        text: tableLines(processes.map(row), HEAD),
        exitCode: done ? EXIT.done : EXIT.failed,
      }
    }
    await setTimeout(LOOK_MS)
  }
}

async function alive({ deps }: Context): Promise<ProcessReport[]> {
  return (await readProcesses(deps.redis.producer, deps.clock.now())).alive
}

const HEAD = ['process', 'role', 'instance', 'state', 'sending']

function row({ name, role, instance, draining, sending }: ProcessReport) {
  return [name, role, instance, draining ? 'draining' : 'running', sending]
}
