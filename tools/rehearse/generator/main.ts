// A load generator as a process of its own, so that the clients do not share an event loop with anything measured.

import { generate } from './generate.ts'
import type { FromGenerator, GeneratorStart, ToGenerator } from './messages.ts'

function tell(message: FromGenerator): void {
  process.send?.(message)
}

let start: (start: GeneratorStart) => void = () => {}
const started = new Promise<GeneratorStart>((resolve) => {
  start = resolve
})
process.on('message', (said) => {
  const message = said as ToGenerator
  if (message.kind === 'start') return start(message.start)
  generate(message.order, started, tell).catch((error: unknown) => {
    tell({ kind: 'error', text: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  })
})
// The coordinator ends this process after it has received everything: a process that exits loses messages that the channel
// has not delivered yet.
process.once('disconnect', () => process.exit())
