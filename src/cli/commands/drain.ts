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
  takes: '[INSTANCE] [--undo] [--wait TIME]',
  summary: 'drains an instance before it is stopped: it accepts nothing new',
  help: [
    'INSTANCE is host:OPS_PORT, as in the printed list; not needed if there is only one service.',
    '--undo       ends draining; a restart of the processes does the same',
    '--wait TIME  waits until no uploads are running on it; exit code 1 if the time is over',
    'A draining service is not ready, refuses creations (503 DRAINING), and continues running uploads. A draining worker takes no new jobs.',
  ],
  options: { undo: flag, wait: text },
  prepare(positionals, values) {
    if (positionals.length > 1) throw usageError('drain one instance at a time')
    const wait = textOf(values, 'wait')
    const waitMs = wait === undefined ? 0 : durationMs(wait, '--wait')
    return (context) => run(context, positionals[0], values['undo'] === true, waitMs)
  },
}

async function run(context: Context, named: string | undefined, undo: boolean, waitMs: number): Promise<Result> {
  const { controls, operator } = context
  const instance = chosen(await alive(context), named)
  await (undo ? controls.endDrain(operator, instance) : controls.drain(operator, instance))
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
        text: tableLines(processes.map(row), ['process', 'role', 'instance', 'state', 'sending']),
        exitCode: done ? EXIT.done : EXIT.failed,
      }
    }
    await setTimeout(LOOK_MS)
  }
}

async function alive({ deps }: Context): Promise<ProcessReport[]> {
  return (await readProcesses(deps.redis.producer, deps.clock.now())).alive
}

function chosen(processes: readonly ProcessReport[], named: string | undefined): string {
  const instances = [...new Set(processes.map(({ instance }) => instance))]
  if (named !== undefined) {
    if (instances.includes(named)) return named
    throw new CliError(`No process of "${named}" is alive. Alive: ${instances.join(', ') || 'none'}`, EXIT.notFound)
  }
  const services = [...new Set(processes.filter(({ role }) => role === 'service').map(({ instance }) => instance))]
  const [only] = services
  if (only !== undefined && services.length === 1) return only
  if (only === undefined) throw new CliError('No service is running.', EXIT.notFound)
  throw usageError(`drain: which instance? ${instances.join(', ')}`)
}

function row({ name, role, instance, draining, sending }: ProcessReport) {
  return [name, role, instance, draining ? 'draining' : 'running', sending]
}
