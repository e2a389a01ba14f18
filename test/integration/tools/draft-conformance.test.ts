// The conformance suite's section on the IETF draft: the service passes all of it but for one sentence, and no check passes where
// nobody speaks the draft.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPayload } from '../../../tools/conformance/payload.ts'
import { probe } from '../../../tools/conformance/probe.ts'
import { runSections } from '../../../tools/conformance/runner.ts'
import { draft } from '../../../tools/conformance/sections/draft.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'

const payload = createPayload()

describe.each([
  ['draft', true],
  ['off', false],
] as const)('RESUMABLE_UPLOADS=%s', (setting, isOn) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ env: { RESUMABLE_UPLOADS: setting, AUTH: 'none' } })
  })
  afterAll(() => stack.close())

  test('the suite finds out whether the draft is spoken, and what it says of it', async () => {
    const options = {
      url: new URL(`${stack.url}/files`),
      headers: {},
      timeoutMs: 30_000,
      takeoverMs: 30_000,
      expiryWaitMs: 0,
      sizeBytes: 16_384,
    }
    const { facts } = await probe(options, payload)
    expect(facts.draft).toBe(isOn)
    const results = await runSections([draft], { options, facts, payload, checkLimitMs: 60_000 })
    const others = results.filter(({ outcome }) => (outcome === 'pass') !== isOn)
    if (isOn)
      expect(others.map(({ id, outcome }) => [id, outcome])).toEqual([
        ['draft.not-by-offset: all bytes with ?0', 'fail'],
      ])
    // Who answers in tus sends no 104 either.
    else expect(others.every(({ id }) => id.startsWith('draft.interim-version'))).toBe(true)
  })
})
