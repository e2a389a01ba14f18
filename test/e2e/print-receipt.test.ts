// The print view of a receipt: one A4 page as a browser prints it, with a full profile's files and the longest names, and a QR
// code that leads to the check page. The browser has no network: all of it is in the page.

import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import jsQR from 'jsqr'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable, startChromium } from '../support/chromium.ts'
import { type Environment, openEnvironment } from '../support/environment.ts'
import { reached } from '../support/records.ts'
import { Teacher } from './support/teacher.ts'

const run = promisify(execFile)
const SHOTS = process.env['PORTAL_SHOTS']
/** A4 at 72 points an inch. */
const A4_POINTS = [595, 842]

describe.skipIf(!chromiumAvailable())('the print view', () => {
  let stack: Environment
  let browser: Browser
  beforeAll(async () => {
    ;[stack, browser] = await Promise.all([openEnvironment(), startChromium()])
  })
  afterAll(async () => {
    await browser?.close()
    await stack?.close()
  })

  /** Every file that a profile takes, each with a long name and its SHA-256. */
  const full = async (profile: string): Promise<string> => {
    const metadata = { name: 'นางสาวสมศรี ใจดีมีสุขสวัสดิ์พัฒนา' }
    const deadline = new Date(Date.now() + 3_600_000).toISOString()
    const id = await stack.submission({ profile, metadata, deadline })
    const { slots } = (await stack.call('GET', `/v1/profiles/${profile}`)).body as {
      slots: { id: string; max: number; media: { kind: string }[] }[]
    }
    for (const { id: slot, max, media } of slots)
      for (let number = 1; number <= max; number++) {
        const isVideo = media[0]?.kind === 'video' && number === 1
        const filename = `${'ไฟล์ประกอบคำขอมีวิทยฐานะ '.repeat(6)}${slot} ${number}.${isVideo ? 'mp4' : 'pdf'}`
        const declared = { filename, type: null, bytes: 1000 + number }
        const measured = isVideo
          ? { kind: 'video' as const, container: 'mp4', durationSeconds: 500 }
          : { kind: 'pdf' as const, container: 'pdf', pages: 3 }
        const { id: upload } = await stack.acceptedUpload(id, slot, { declared, measured })
        await stack.deps.uploads.commit(
          upload,
          (current) =>
            current && reached(current, 'accepted', { sha256: 'ab'.repeat(32), measured, atMs: stack.clock.now() }),
        )
      }
    const sealed = await stack.call('POST', `/v1/submissions/${id}/seal`)
    expect(sealed.status, sealed.text).toBe(200)
    return id
  }
  const linkTo = async (id: string) =>
    String((await stack.call('POST', `/v1/submissions/${id}/receipt/links`, { body: {} })).body['url'])
  const receiptOf = async (id: string) =>
    (await stack.call('GET', `/v1/submissions/${id}/receipt`)).body as { check: string; claims: { uploads: unknown[] } }

  test.each(['teacher.K2@1', 'teacher.K5@1', 'school_admin.K5@1'])(
    'is one page with all files of %s',
    async (profile) => {
      const id = await full(profile)
      const reader = await Teacher.open(browser, { url: await linkTo(id) })
      const { page } = reader
      const { claims, check } = await receiptOf(id)
      expect(await page.locator('tbody').count()).toBe(claims.uploads.length)
      const text = (await page.locator('main').textContent()) ?? ''
      for (const said of [id, 'นางสาวสมศรี ใจดีมีสุขสวัสดิ์พัฒนา', 'ใบรับคำขอ', 'Receipt of a submission', 'ab'.repeat(32)])
        expect(text).toContain(said)
      // The Buddhist year of offices, and the same moment in ISO 8601.
      expect(text).toMatch(/\d+ .+ 25\d\d เวลา (\d\d:\d\d:\d\d)\s+น\. 20\d\d-\d\d-\d\dT\1\+07:00/)
      expect(await reader.barriers()).toEqual([])
      await reader.shot(`print-${profile}`)

      const pdf = join(stack.dataDir, `${profile}.pdf`)
      await writeFile(pdf, await page.pdf({ preferCSSPageSize: true, printBackground: false }))
      if (SHOTS !== undefined) {
        await mkdir(SHOTS, { recursive: true })
        await run('pdftoppm', ['-r', '110', '-png', '-singlefile', pdf, join(SHOTS, `paper-${profile}`)])
      }
      const { stdout } = await run('pdfinfo', [pdf])
      expect(stdout).toMatch(/^Pages: +1$/m)
      const [, width, height] = /^Page size: +([\d.]+) x ([\d.]+) pts/m.exec(stdout) ?? []
      expect([width, height].map((points) => Math.round(Number(points)))).toEqual(A4_POINTS)
      // What a scanner sees of the paper: 150 dots an inch, in grey.
      await run('pdftoppm', ['-r', '150', '-gray', pdf, pdf])
      expect(qrIn(await readFile(`${pdf}-1.pgm`))).toBe(check)
      expect(reader.pageErrors).toEqual([])
      await reader.close()
    },
  )

  test('is one click away from the page of whoever has handed in, and its file another; both end with the session', async () => {
    const id = await full('teacher.K2@1')
    const { body } = await stack.call('POST', `/v1/submissions/${id}/sessions`, { body: {} })
    const reader = await Teacher.open(browser, { url: String(body['url']), screen: 'phone' })
    const { page } = reader
    const handed = page.locator('.handed-in')
    await reader.says(handed, 'พิมพ์ใบรับคำขอ')
    expect(await reader.barriers()).toEqual([])
    await reader.shot('page-handed-in')
    const [paper] = await Promise.all([
      page.context().waitForEvent('page'),
      handed.getByRole('link', { name: 'พิมพ์ใบรับคำขอ' }).click(),
    ])
    await reader.says(paper.locator('h1'), 'ใบรับคำขอ')
    const [receipt] = await Promise.all([
      page.waitForEvent('download'),
      handed.getByRole('button', { name: 'บันทึกไฟล์ใบรับคำขอ' }).click(),
    ])
    const document = JSON.parse(await readFile(await receipt.path(), 'utf8')) as Record<string, unknown>
    const verified = await stack.call('POST', '/v1/receipts/verify', { body: document, token: null })
    expect(verified.body).toMatchObject({ valid: true, claims: { submission: id } })
    await stack.call('DELETE', `/v1/submissions/${id}/sessions/${String(body['id'])}`)
    const answer = await paper.reload()
    expect([answer?.status(), await answer?.json()]).toMatchObject([410, { code: 'LINK_REVOKED' }])
    expect(reader.pageErrors).toEqual([])
    await reader.close()
  })

  test('shows what a portal or a file calls itself as text, and runs nothing of it', async () => {
    const hostile = '<img src=x onerror=alert(1)>"\'&\u202egnp.pdf'
    const id = await stack.submission({ metadata: { name: hostile } })
    await stack.acceptedUpload(id, 'plan', { declared: { filename: hostile, type: null, bytes: 5 } })
    await stack.call('POST', `/v1/submissions/${id}/seal`)
    const reader = await Teacher.open(browser, { url: await linkTo(id) })
    expect(await reader.page.locator('img').count()).toBe(0)
    await reader.says(reader.page.locator('tbody'), '<img src=x onerror=alert(1)>"\'&gnp.pdf')
    await reader.says(reader.page.locator('tbody'), /^ยังไม่มี SHA-256/)
    expect(reader.pageErrors).toEqual([])
    await reader.close()
  })

  test('its QR code opens the check page, which says of a returned submission that the paper is older', async () => {
    const id = await full('teacher.K2@1')
    const paper = await receiptOf(id)
    const link = await linkTo(id)
    await stack.call('POST', `/v1/submissions/${id}/return`, { body: { reason: 'x' } })
    const reader = await Teacher.open(browser, { url: link })
    await reader.says(reader.page.locator('.older'), /^ไม่ใช่การยื่นครั้งล่าสุด/)
    await reader.page.goto(paper.check)
    await reader.says(reader.page.locator('#result'), 'ใบรับนี้ถูกต้อง')
    await reader.says(reader.page.locator('#result'), /ไม่ใช่ครั้งล่าสุด/)
    expect(await reader.page.locator('body').textContent()).not.toContain('สมศรี')
    await reader.close()
  })
})

/** The text of the QR code in a grey picture (PGM, P5). */
function qrIn(pgm: Buffer): string | undefined {
  const [header = '', width = '', height = ''] = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(pgm.toString('latin1', 0, 64)) ?? []
  const grey = pgm.subarray(header.length)
  const rgba = new Uint8ClampedArray(grey.length * 4)
  for (const [i, value] of grey.entries()) rgba.set([value, value, value, 255], i * 4)
  // The package is CommonJS: its function is a member of what is imported.
  const decode = typeof jsQR === 'function' ? jsQR : (jsQR as { default: typeof import('jsqr').default }).default
  return decode(rgba, Number(width), Number(height))?.data
}
