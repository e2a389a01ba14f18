// Runs sections of the conformance suite against a reference server made for one test.
import type { Result, Section } from '../../../../tools/conformance/model.ts'
import { createPayload } from '../../../../tools/conformance/payload.ts'
import { probe } from '../../../../tools/conformance/probe.ts'
import { runSections } from '../../../../tools/conformance/runner.ts'
import { sections } from '../../../../tools/conformance/sections/index.ts'
import { type ReferenceOptions, startReferenceServer } from '../../../support/conformance/reference-server.ts'

const payload = createPayload()

/** Only the named rules ("head.offset"), in the order of the text. Throws for a name that there is none of. */
export function pick(ruleIds: readonly string[]): Section[] {
  const wanted = new Set(ruleIds)
  const picked = sections.map((section) => ({
    ...section,
    rules: section.rules.filter((rule) => wanted.delete(`${section.key}.${rule.key}`)),
  }))
  if (wanted.size > 0) throw new Error(`no such rules: ${[...wanted].join(', ')}`)
  return picked.filter((section) => section.rules.length > 0)
}

export async function runAgainst(
  options: ReferenceOptions,
  chosen: readonly Section[],
  limits: { readonly timeoutMs?: number; readonly takeoverMs?: number; readonly expiryWaitMs?: number } = {},
): Promise<Result[]> {
  const server = await startReferenceServer(options)
  try {
    const harness = {
      url: server.url,
      headers: {},
      timeoutMs: 30_000,
      takeoverMs: 30_000,
      expiryWaitMs: 0,
      sizeBytes: 16_384,
      ...limits,
    }
    const { facts } = await probe(harness, payload)
    return await runSections(chosen, { options: harness, facts, payload, checkLimitMs: 120_000 })
  } finally {
    await server.close()
  }
}

export function ids(results: readonly Result[], ...outcomes: ReadonlyArray<Result['outcome']>): string[] {
  return results.filter(({ outcome }) => outcomes.includes(outcome)).map(({ id }) => id)
}
