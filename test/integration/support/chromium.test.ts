import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'

describe.skipIf(!chromiumAvailable())('the browser of the tests', () => {
  test('opens a page of this machine, and no other', async ({ onTestFinished }) => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8').end('<title>ส่งงาน</title>')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const browser = await startChromium()
    onTestFinished(() => browser.close())
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${address.port}/`)
    expect(await page.title()).toBe('ส่งงาน')
    await expect(page.goto('http://example.test/')).rejects.toThrow('ERR_NAME_NOT_RESOLVED')
  })
})
