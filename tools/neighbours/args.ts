// The command line of `npm run neighbours`.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'

export const USAGE = `npm run neighbours     what an honest person notices of three who are not, as 95th percentiles
  --only LIST      some of verdicts, webhooks, reads                    [all]
  --samples N      honest verdicts; ten times as many reads             [20]
  --files N        hostile PDFs of one person at the same time          [16]
  --hooks N        submissions whose webhooks are never answered        [60]
  --uploads N      uploads of the submission that is read repeatedly    [1200, or as many as the service accepts]
  --readers N      concurrent readers of it                             [6]

verdicts: one person's PDFs of a few kilobytes that unpack to gigabytes delay another person's plan of one page.
webhooks: a portal's receiver that never answers delays another portal's webhooks.
reads: concurrent expanded reads of a submission with very many uploads delay another person's reads and creations.

Starts its own Redis, service and workers, and ends them.`

const NAMES = ['verdicts', 'webhooks', 'reads'] as const

export type NeighboursArgs = {
  only: readonly (typeof NAMES)[number][]
  samples: number
  files: number
  hooks: number
  uploads: number
  readers: number
}

/** Throws UsageError. */
export function parseNeighboursArgs(args: readonly string[]): NeighboursArgs {
  const values = parsed(args)
  const asked = values.only?.split(',') ?? NAMES
  const only = NAMES.filter((name) => asked.includes(name))
  if (only.length !== asked.length)
    throw new UsageError(`--only must be some of ${NAMES.join(', ')}, not ${values.only}`)
  const number = (name: 'samples' | 'files' | 'hooks' | 'uploads' | 'readers', fallback: number, max: number) =>
    numberOption(name, values[name], { fallback, min: 1, max, whole: true })
  return {
    only,
    samples: number('samples', 20, 1000),
    files: number('files', 16, 1000),
    hooks: number('hooks', 60, 1000),
    uploads: number('uploads', 1200, 10_000),
    readers: number('readers', 6, 100),
  }
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { only: text, samples: text, files: text, hooks: text, uploads: text, readers: text } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
