// A process for one job is waited for as long as it may take, and no longer.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type AloneJob, runAlone } from '../../../workers/lanes/run-alone.ts'

const ENTRY = join(import.meta.dirname, 'stubborn.mjs')
const FAR_MS = 600_000
const never = new AbortController().signal

function run(
  how: { says?: object; lingers: boolean },
  limits: { signal?: AbortSignal; limitMs?: number; graceMs?: number },
) {
  const { signal = never, limitMs = FAR_MS, graceMs = 100 } = limits
  return runAlone(how as unknown as AloneJob, { signal, limitMs, graceMs, entry: ENTRY })
}

it('what it says is the result', async () => {
  const said = { outcome: 'done' }
  expect(await run({ says: said, lingers: false }, { graceMs: FAR_MS })).toEqual(said)
})

it('one that has said how it ended and does not end is ended', async () => {
  const said = { outcome: 'done' }
  expect(await run({ says: said, lingers: true }, {})).toEqual(said)
})

it('one that says nothing is ended at the limit', async () => {
  expect(await run({ lingers: true }, { limitMs: 3000 })).toBeUndefined()
})

it.each(['before it begins', 'while it runs'])('one that is to go %s, and does not, is ended', async (when) => {
  const closing = new AbortController()
  if (when === 'before it begins') closing.abort()
  const ended = run({ lingers: true }, { signal: closing.signal })
  closing.abort()
  expect(await ended).toBeUndefined()
})
