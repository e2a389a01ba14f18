// A public validator has nothing to say against the OpenAPI document: neither of what OpenAPI 3.1 asks, nor of what it advises.

import { readFileSync } from 'node:fs'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, it } from 'vitest'
import { asFile, COMMITTED, type OpenApi } from '../../support/openapi.ts'

async function findings(source: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source, absoluteRef: COMMITTED, config })
  return problems.map(({ ruleId, message, location: [at] }) => `${ruleId}: ${message} (${at?.pointer})`)
}

const committed = readFileSync(COMMITTED, 'utf8')

it('the document passes without warnings', async () => {
  expect(await findings(committed)).toEqual([])
})

it('one with an example that its schema does not allow does not', async () => {
  const wrong = JSON.parse(committed) as OpenApi
  Object.assign(wrong.webhooks['upload.accepted']?.['post']?.requestBody?.content?.['application/json'] ?? {}, {
    example: { id: 5 },
  })
  expect((await findings(asFile(wrong))).join('\n')).toContain('example')
})
