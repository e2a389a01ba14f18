// Runs one program in the foreground: it uses this terminal, gets the signals of this process, and gives the exit code.

import { constants } from 'node:os'
import { eachLine, show } from './lines.mjs'
import { nodeArguments, nodeEnvironment } from './node-command.mjs'
import { launch } from './processes.mjs'
import { onSignals } from './signals.mjs'

/** Programs that write log lines in JSON. */
const LOGGING = new Set(['service', 'worker'])

/** Runs a program of dist/. Resolves with its exit code; rejects if it cannot be started. */
export async function runPart(name, args, env) {
  const readable = LOGGING.has(name) && process.stdout.isTTY
  const child = launch(process.execPath, nodeArguments(name, args), {
    env: { ...nodeEnvironment(name), ...env },
    stdio: readable ? ['inherit', 'pipe', 'pipe'] : 'inherit',
  })
  for (const stream of [child.stdout, child.stderr])
    if (stream) eachLine(stream, (line) => show(name, line, stream === child.stderr))
  onSignals(
    (signal) => child.kill(signal),
    () => child.kill('SIGKILL'),
  )
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  })
  // As shells report an end by a signal.
  return code ?? 128 + constants.signals[signal]
}
