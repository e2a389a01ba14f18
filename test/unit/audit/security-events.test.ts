// Whoever filters the security log finds each event in its page, and no event that does not exist.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SECURITY_EVENTS } from '../../../src/audit/security-events.ts'

it('are all in docs/security-log.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/security-log.md'), 'utf8')
  const [, table = ''] = page.split('| event | what happened |')
  const named = [...table.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, name]) => name)
  expect(named.toSorted()).toEqual(Object.keys(SECURITY_EVENTS).toSorted())
})
