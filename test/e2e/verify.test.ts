// The check page in a real browser: what it says of receipts that are good, changed, foreign, older, deleted or only a QR code,
// and of files that are held against them, of which nothing is sent.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sha256 } from '../support/bytes.ts'
import { chromiumAvailable, startChromium } from '../support/chromium.ts'
import { type Environment, openEnvironment } from '../support/environment.ts'
import { reached } from '../support/records.ts'
import { Teacher } from './support/teacher.ts'

const PLAN = Buffer.alloc(1000, 7)
type Document = Record<string, unknown> & { receipt: string; check: string; claims: Record<string, unknown> }

describe.skipIf(!chromiumAvailable())('the check page', () => {
  let stack: Environment
  let browser: Browser
  beforeAll(async () => {
    ;[stack, browser] = await Promise.all([openEnvironment(), startChromium()])
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  let visitor: Teacher
  let page: Page
  /** Bodies that the browser sent. */
  let sent: string[]
  const open = async (hash = '', options: { locale?: 'th-TH' | 'en-GB'; screen?: 'phone' | 'desktop' } = {}) => {
    visitor = await Teacher.open(browser, { url: `${stack.url}/verify${hash}`, screen: 'phone', ...options })
    page = visitor.page
    sent = []
    page.on('request', (request) => void sent.push(request.postData() ?? ''))
  }
  beforeEach(async () => await open())
  afterEach(async () => {
    expect(visitor.pageErrors).toEqual([])
    expect(await visitor.barriers()).toEqual([])
    await visitor.close()
  })

  /** Handed in with a plan that was read as a whole, and one file more that was not. */
  const handedIn = async (): Promise<{ id: string; document: Document }> => {
    const id = await stack.submission({ metadata: { name: 'นางสาวสมศรี ใจดี' } })
    const plan = await stack.acceptedUpload(id, 'plan')
    await stack.deps.uploads.commit(
      plan.id,
      (current) => current && reached(current, 'accepted', { sha256: sha256(PLAN), atMs: stack.clock.now() }),
    )
    await stack.acceptedUpload(id, 'extras', { declared: { filename: 'คลิป.mp4', type: null, bytes: 700 } })
    expect((await stack.call('POST', `/v1/submissions/${id}/seal`)).status).toBe(200)
    return { id, document: await receiptOf(id) }
  }
  const receiptOf = async (id: string) =>
    (await stack.call('GET', `/v1/submissions/${id}/receipt`)).body as unknown as Document
  const file = async (name: string, bytes: Buffer | string) => {
    const path = join(stack.dataDir, name)
    await writeFile(path, bytes)
    return path
  }
  const show = async (document: unknown) =>
    await page.locator('#receipt-file').setInputFiles(await file('receipt.json', JSON.stringify(document, null, 2)))
  const says = (text: string | RegExp) => visitor.says(page.locator('#result'), text)
  /** As a person drags files onto the window. */
  const drop = async (...files: { name: string; bytes: Buffer }[]) => {
    const given = files.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }))
    await page.evaluate(`(() => {
      const transfer = new DataTransfer()
      for (const { name, base64 } of ${JSON.stringify(given)})
        transfer.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name))
      document.querySelector('main').dispatchEvent(
        new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }))
    })()`)
  }

  test('says of a good receipt since when and for which files, in both languages', async () => {
    const { id, document } = await handedIn()
    await show(document)
    await says('ใบรับนี้ถูกต้อง')
    await says(id)
    await says(/^\d+ .+ 25\d\d เวลา \d\d:\d\d:\d\d\sน\.$/)
    await says('ผู้ยื่นกดยื่น')
    await says('แผนการสอน.pdf')
    await says(`SHA-256 ${sha256(PLAN)}`)
    await says('ยังไม่มี SHA-256 ในใบรับนี้')
    expect(await page.locator('.remark').count()).toBe(0)
    await visitor.shot('verify-good')
    await page.locator('.language').click()
    await says('This receipt is valid')
    await says('Receipt of a hand-in')
    await says(/^\d+ \w+ 20\d\d, \d\d:\d\d:\d\d$/)
    await visitor.shot('verify-good-en')
  })

  test('takes the text of a receipt, of a file or of an attempt too', async () => {
    const { id, document } = await handedIn()
    const paste = async (text: string) => {
      await page.locator('#receipt-text').fill(text)
      await page.getByRole('button', { name: 'ตรวจสอบ', exact: true }).click()
    }
    await paste(` ${document.receipt} `)
    await says('ใบรับนี้ถูกต้อง')
    const [upload] = document.claims['uploads'] as { upload: string }[]
    await paste(JSON.stringify((await stack.call('GET', `/v1/uploads/${upload?.upload}/receipt`)).body))
    await says('ใบรับไฟล์')
    await visitor.says(page.locator('.files'), 'แผนการสอน.pdf')
    stack.deps.attempts.record({
      owner: 'portal',
      submissionId: id,
      slot: 'plan',
      subject: 'ครู 1',
      declared: null,
      outcome: 'refused',
      code: 'NO_SPACE',
      uploadId: null,
    })
    const { body } = await stack.call('GET', `/v1/submissions/${id}/attempts`)
    const [attempt] = body['items'] as { receipt: string }[]
    await paste(attempt?.receipt ?? '')
    await says('บันทึกการพยายามส่งไฟล์')
    await paste('ไม่ใช่ใบรับ')
    await says('นี่ไม่ใช่ใบรับ')
  })

  test('says of a changed receipt that it is not valid, and shows nothing of it', async () => {
    const { id, document } = await handedIn()
    await show({ ...document, claims: { ...document.claims, sealedAt: '2026-01-01T00:00:00.000Z' } })
    await says('ใบรับนี้ใช้ไม่ได้')
    await says('ใบรับไม่ถูกต้องหรือถูกแก้ไข')
    expect(await page.locator('#result').textContent()).not.toContain(id)
    await visitor.shot('verify-changed')
    const [header, payload = '', signature] = document.receipt.split('.')
    const changed = [header, payload.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')), signature].join('.')
    await show({ receipt: changed })
    await says('ใบรับนี้ใช้ไม่ได้')
  })

  test('says the same of a foreign one', async () => {
    const elsewhere = await openEnvironment({ env: { TICKET_SECRET: 'the-secret-of-another-service-of-thirty-two' } })
    try {
      const id = await elsewhere.submission()
      await elsewhere.acceptedUpload(id, 'plan')
      await elsewhere.call('POST', `/v1/submissions/${id}/seal`)
      const { body } = await elsewhere.call('GET', `/v1/submissions/${id}/receipt`)
      await show(body)
      await says('ใบรับนี้ใช้ไม่ได้')
    } finally {
      await elsewhere.close()
    }
  })

  test('compares files that are dropped on it, and sends nothing of them', async () => {
    await drop({ name: 'plan.pdf', bytes: PLAN })
    await says('นี่ไม่ใช่ใบรับ')
    await show((await handedIn()).document)
    await says('ใบรับนี้ถูกต้อง')
    const before = sent.length
    await drop(
      { name: 'แผนของฉัน.pdf', bytes: PLAN },
      { name: 'another.pdf', bytes: Buffer.alloc(1000, 8) },
      { name: 'clip.mp4', bytes: Buffer.alloc(700, 7) },
      { name: 'long.mp4', bytes: Buffer.alloc(3_000_000, 1) },
    )
    const compared = page.locator('.comparisons')
    await visitor.says(compared.locator('.same'), 'แผนของฉัน.pdf')
    await visitor.says(compared.locator('.same'), 'ตรงกับไฟล์ในใบรับ: ไทย plan')
    await visitor.says(compared.locator('.other').nth(0), 'another.pdf')
    await visitor.says(compared.locator('.unknown'), /เทียบไม่ได้/)
    await visitor.says(compared.locator('.other').nth(1), 'long.mp4')
    expect(sent.length).toBe(before)
    expect(sent.filter((body) => body.includes('แผนของฉัน'))).toEqual([])
    await visitor.shot('verify-compared')
  })

  test('tells whoever scans a QR code of the files, without a name; and once there is another revision, or nothing', async () => {
    const { id, document } = await handedIn()
    await visitor.close()
    const { hash } = new URL(document.check)
    await open(hash, { locale: 'en-GB' })
    await says('This receipt is valid')
    await says(id)
    await says(`SHA-256 ${sha256(PLAN)}`)
    const seen = await page.locator('body').textContent()
    for (const name of ['แผนการสอน.pdf', 'คลิป.mp4', 'สมศรี']) expect(seen).not.toContain(name)
    await visitor.shot('verify-qr')
    await stack.call('POST', `/v1/submissions/${id}/return`, { body: { reason: 'x' } })
    await page.reload()
    await says(/^This receipt is of revision 1, which is not the newest/)
    await visitor.shot('verify-older')
    await stack.call('DELETE', `/v1/submissions/${id}`)
    await page.reload()
    await says('There are no data of this receipt any more')
    await says('The submission has been deleted.')
    // What the holder has stays true.
    await show(document)
    await says('This receipt is valid')
    await says(/^The submission was deleted from the service/)
    await page.evaluate(`location.hash = '#portal/${id}/1/x/y'`)
    await says('This receipt is not valid')
  })

  test('says that it cannot be checked while the service is away', async () => {
    const { document } = await handedIn()
    await visitor.line({ offline: true })
    await show(document)
    await says('ยังตรวจสอบไม่ได้')
    await visitor.line({})
    await show(document)
    await says('ใบรับนี้ถูกต้อง')
  })
})
