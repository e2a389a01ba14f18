// The documentation draws itself under its own Content-Security-Policy: nothing of it is blocked.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { PATIENCE_MS } from '../../support/http.ts'

describe.skipIf(!chromiumAvailable())('/docs in a browser', () => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment()
  })
  afterAll(async () => await stack.close())

  it('shows every operation, without violations of the security policy', async () => {
    const browser = await startChromium()
    try {
      const page = await browser.newPage()
      const blocked: string[] = []
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) blocked.push(message.text())
      })
      await page.goto(`${stack.url}/docs`)
      await page.getByText('/v1/submissions/{id}/seal').first().waitFor({ timeout: PATIENCE_MS })
      expect(blocked).toEqual([])
    } finally {
      await browser.close()
    }
  })
})
