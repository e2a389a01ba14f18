// The teacher's page in a real browser, with the service and a worker behind it: slots are filled over lines that break, on
// machines that change, with files that are not what they should be.

import { createHash } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable, startChromium } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { type Corpus, createCorpus } from '../support/media/corpus.ts'
import { pdf } from '../support/media/pdfs.ts'
import { lesson } from '../support/media/videos.ts'
import { type Installation, startInstallation } from './support/installation.ts'
import { Teacher, type TeacherOptions } from './support/teacher.ts'

const PROFILE = 'teacher.K2@1'
const VIDEO = 'teaching_video'
/** Slow enough for something to happen in the middle of the film. */
const SLOW_BYTES_PER_SECOND = 300_000
const FILM_BYTES = 6_000_000
/** What may be received more than once when a line is cut: next to nothing. */
const MOST_RECEIVED = 1.02
const VERDICT_MS = 60_000
/** How the page looks, for people. */
const SHOTS = process.env['PORTAL_SHOTS'] ?? join(tmpdir(), 'songngan-portal')

describe.skipIf(!chromiumAvailable())('the page of a session', () => {
  let house: Installation
  let corpus: Corpus
  let browser: Browser
  let film: string
  let filmBytes: number
  let plan: string
  let submissions = 0
  const teachers: Teacher[] = []

  beforeAll(async () => {
    await mkdir(SHOTS, { recursive: true })
    corpus = await createCorpus()
    house = await startInstallation()
    film = await largeFilm()
    filmBytes = (await stat(film)).size
    plan = await pdf(corpus, 'แผนการสอน.pdf', { pages: 6 })
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await house?.close()
    await corpus?.remove()
  })
  afterEach(async () => {
    const faults = teachers.flatMap((teacher) => teacher.faults)
    await Promise.all(teachers.splice(0).map((teacher) => teacher.close()))
    expect(faults).toEqual([])
  })

  /** A submission, and the page that its portal would open. */
  async function session({ can = ['read', 'upload'], expiresInSeconds = 3600 } = {}) {
    const id = `2569-${String(++submissions).padStart(5, '0')}`
    const deadline = new Date(Date.now() + 55 * 3_600_000).toISOString()
    await house.portal.putSubmission(id, { profile: PROFILE, deadline })
    const answer = await house.call('POST', `/v1/submissions/${id}/sessions`, { can, expiresInSeconds })
    return { id, url: (JSON.parse(answer.text) as { url: string }).url }
  }

  async function teacher(options: TeacherOptions): Promise<Teacher> {
    const opened = await Teacher.open(browser, options)
    teachers.push(opened)
    return opened
  }

  async function receivedBytes(): Promise<number> {
    const text = await (await fetch(`${house.service.opsUrl}/metrics`)).text()
    return Number(/^\w*upload_bytes_received_total (\d+)$/m.exec(text)?.[1])
  }

  /** Waits until the service has this share of the film. */
  const share = (of: number, before: number) =>
    waitFor(async () => (await receivedBytes()) - before > filmBytes * of, {
      ...{ timeoutMs: 30_000, what: `${of * 100} % of the film to be there` },
    })

  const seriousFaults = async ({ page }: Teacher): Promise<string[]> => {
    const source = await readFile(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8')
    await page.evaluate(source)
    const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  }

  const shot = (name: string, { page }: Teacher, fullPage = true) =>
    page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage })

  test('says in Thai what is asked for, and takes no byte of a file that cannot be right', async () => {
    const { url, id } = await session()
    const user = await teacher({ url, screen: 'phone' })
    const { page } = user
    await user.says(page.locator('main'), 'ส่งไฟล์ประกอบคำขอ')
    await user.says(page.locator('main'), `เลขที่คำขอ ${id}`)
    await user.says(page.locator('.deadline'), /^ปิดรับ \d+ .+ 25\d\d เวลา \d\d:\d\d น\.$/)
    await user.says(page.locator('.deadline'), /^เหลือเวลา 2 วัน/)
    await user.says(page.locator('.summary'), 'ผ่านแล้ว 0 จาก 4 รายการ')
    expect(await user.state(VIDEO)).toBe('ยังไม่มีไฟล์')
    await user.says(user.card(VIDEO), 'ยาวไม่เกิน 60 นาที')
    await user.says(user.card('student_outcome'), '1–3 ไฟล์')
    await user.says(user.card('student_outcome'), 'ไม่เกิน 10 หน้า')
    // The token is out of the address, and a reload still knows it.
    expect(page.url()).not.toContain('token')
    expect(await seriousFaults(user)).toEqual([])
    await shot('phone-empty', user)

    await user.choose(VIDEO, plan)
    await user.says(user.card(VIDEO), /^ไฟล์นี้เป็น PDF ช่องนี้รับเฉพาะวิดีโอ/)
    await user.choose('inspiration_video', await lesson(corpus, { audio: 'none' }))
    await user.says(user.card('inspiration_video'), 'วิดีโอนี้ไม่มีเสียง')
    await user.choose('student_outcome', await cutFilm())
    await user.says(user.card('student_outcome'), /^ไฟล์นี้ไม่สมบูรณ์/)
    expect(user.requests).toEqual([])
    expect(await house.portal.uploads(id)).toEqual([])
    expect(await seriousFaults(user)).toEqual([])
    await shot('phone-blocked', user)
  })

  /** A lesson with a box of nothing at its end: as long to send as a machine takes to open a second browser. */
  const largeFilm = () =>
    corpus.file('การสอน คณิตศาสตร์ ป.4.mp4', async (path) => {
      const lessonBytes = await readFile(await lesson(corpus, { seconds: 12, size: '640x360' }))
      const box = Buffer.alloc(FILM_BYTES - lessonBytes.length)
      box.writeUInt32BE(box.length, 0)
      box.write('free', 4, 'latin1')
      await writeFile(path, Buffer.concat([lessonBytes, box]))
    })

  const cutFilm = () =>
    corpus.file('cut.mp4', async (path) => {
      await writeFile(path, (await readFile(film)).subarray(0, Math.floor(filmBytes * 0.6)))
    })

  test('loses the line in the middle of a file and goes on by itself', async () => {
    const { url, id } = await session()
    const user = await teacher({ url, screen: 'phone' })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await receivedBytes()
    await user.choose(VIDEO, film)
    await share(0.25, before)
    await user.says(user.card(VIDEO), /เหลือราว \d+ วินาที/)
    await user.says(user.page.locator('.tray'), 'เปิดหน้านี้ไว้จนกว่าจะส่งเสร็จ')
    expect(await user.page.title()).toMatch(/^\d+% · /)
    expect(await user.screenLocks()).toBe(1)
    expect(await seriousFaults(user)).toEqual([])
    await user.card(VIDEO).scrollIntoViewIfNeeded()
    await shot('phone-sending', user, false)

    await user.line({ offline: true })
    await user.says(user.card(VIDEO), 'อินเทอร์เน็ตขาดหาย จะส่งต่อเองเมื่อกลับมา')
    await shot('phone-offline', user, false)
    expect(await user.page.locator('#announcements').textContent()).not.toBe('')
    await user.line({})
    await user.says(user.page.locator('.tray'), 'ส่งถึงระบบครบแล้ว ปิดหน้านี้ได้')
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    expect(await user.state(VIDEO)).toBe('ผ่าน')
    expect(await user.screenLocks()).toBe(0)

    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH'])
    expect(user.requests[3]?.offset).toBeGreaterThan(filmBytes / 4)
    expect((await receivedBytes()) - before).toBeLessThanOrEqual(filmBytes * MOST_RECEIVED)
    expect(await house.portal.uploads(id)).toHaveLength(1)
  })

  // tus-js-client 4.3.1 begins again from byte 0 after any HEAD answer but 2xx and 423.
  test('does not begin anew because a proxy has nobody to ask', async () => {
    const { url, id } = await session()
    const user = await teacher({ url })
    await user.page.waitForSelector('.card')
    const answers = [502, 503]
    await user.page.route('**/files/*', async (route) => {
      const status = route.request().method() === 'HEAD' ? answers.shift() : undefined
      if (status === undefined) await route.continue()
      else await route.fulfill({ status, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' })
    })
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await receivedBytes()
    await user.choose(VIDEO, film)
    await share(0.25, before)
    await user.card(VIDEO).getByRole('button', { name: 'หยุดชั่วคราว' }).click()
    await user.says(user.card(VIDEO), 'หยุดไว้ชั่วคราว')
    expect(await user.screenLocks()).toBe(0)
    await user.line({})
    await user.card(VIDEO).getByRole('button', { name: 'ส่งต่อ' }).click()
    await user.says(user.card(VIDEO), /^การเชื่อมต่อสะดุด จะลองใหม่ใน \d วินาที$/)
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    const methods = user.requests.map(({ method }) => method)
    expect(methods).toEqual(['POST', 'PATCH', 'HEAD', 'HEAD', 'HEAD', 'PATCH'])
    expect(await house.portal.uploads(id)).toHaveLength(1)
  })

  test('is left in the middle of a file, warns, and goes on with the same file chosen again', async () => {
    const { url, id } = await session()
    const user = await teacher({ url })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await receivedBytes()
    // Browsers ask before leaving only where somebody has touched the page.
    await user.page.locator('h1').click()
    await user.choose(VIDEO, film)
    await share(0.25, before)
    await user.page.reload()
    expect(user.warnings).toBe(1)
    await user.says(user.card(VIDEO), /^ส่งค้างไว้ เลือกไฟล์เดิมอีกครั้ง/)
    expect(await user.state(VIDEO)).toBe('ส่งค้างไว้')
    await shot('desktop-unfinished', user)

    const other = await lesson(corpus, { seconds: 3 })
    await user.choose(VIDEO, other)
    await user.says(user.card(VIDEO), /^ไฟล์ที่เลือกไม่ใช่ไฟล์เดิม/)
    await user.card(VIDEO).getByRole('button', { name: 'เอาออก' }).click()

    await user.line({})
    await user.choose(VIDEO, film)
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH'])
    expect((await receivedBytes()) - before).toBeLessThanOrEqual(filmBytes * MOST_RECEIVED)
    expect(await house.portal.uploads(id)).toHaveLength(1)
    // Nothing is on its way: nobody is held back.
    await user.page.reload()
    expect(user.warnings).toBe(1)
  })

  test('goes on in another browser, in another language, with what the first has sent', async () => {
    const { url, id } = await session()
    const first = await teacher({ url })
    await first.page.waitForSelector('.card')
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await receivedBytes()
    await first.choose(VIDEO, film)
    await share(0.4, before)
    const second = await teacher({ url, locale: 'en-GB' })
    await second.says(second.card(VIDEO), /^(Unfinished|Being sent)/)
    await first.close()
    await second.choose(VIDEO, film)
    await second.says(second.card(VIDEO), /^Passed/, VERDICT_MS)
    expect(second.requests.map(({ method }) => method)).toEqual(['HEAD', 'PATCH'])
    expect(second.requests[1]?.offset).toBeGreaterThan(filmBytes * 0.4)
    expect((await receivedBytes()) - before).toBeLessThanOrEqual(filmBytes * MOST_RECEIVED)
    expect(await house.portal.uploads(id)).toHaveLength(1)
  })

  test('hears that another page has taken a file over, and leaves it alone', async () => {
    const { url } = await session()
    const first = await teacher({ url })
    await first.page.waitForSelector('.card')
    await first.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    const before = await receivedBytes()
    await first.choose(VIDEO, film)
    await share(0.2, before)
    const second = await teacher({ url })
    await second.page.waitForSelector('.card')
    await second.choose(VIDEO, film)
    await second.says(second.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    await first.says(first.card(VIDEO), /^ผ่านเกณฑ์/)
    expect(first.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
  })

  test('shows why a film was rejected, and takes a better one in its place', async () => {
    const { url, id } = await session()
    const user = await teacher({ url, screen: 'phone' })
    await user.page.waitForSelector('.card')
    await user.choose(VIDEO, await lesson(corpus, { audio: 'none' }))
    await user.card(VIDEO).getByRole('button', { name: 'ส่งไฟล์นี้อยู่ดี' }).click()
    await user.says(user.card(VIDEO), /^คลิปการสอนไม่มีเสียง โปรดตรวจดู/, VERDICT_MS)
    expect(await user.state(VIDEO)).toBe('ต้องแก้ไข')
    await user.says(user.card(VIDEO), /^เกณฑ์ 10:00$/)
    await user.says(user.card(VIDEO), /^วัดได้ 0:04$/)
    expect(await seriousFaults(user)).toEqual([])
    await shot('phone-rejected', user)

    await user.choose(VIDEO, film)
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    expect(await user.state(VIDEO)).toBe('ผ่าน')
    await user.says(user.card(VIDEO), 'ประวัติการส่ง (1)')
    expect((await house.portal.uploads(id)).map(({ accepted }) => accepted)).toEqual([false, true])
  })

  test('fills a whole submission, shows what the assessors will see, and hands it in', async () => {
    const { url, id } = await session({ can: ['read', 'upload', 'seal'] })
    const user = await teacher({ url, screen: 'phone' })
    const { page } = user
    await page.waitForSelector('.card')
    await user.choose('lesson_plan', plan)
    await user.choose(VIDEO, film)
    await user.choose('inspiration_video', await lesson(corpus, { seconds: 5, size: '640x360' }))
    await user.choose('student_outcome', await pdf(corpus, 'ผลงาน 14 หน้า.pdf', { pages: 14 }))
    await user.says(user.card('student_outcome'), 'วัดได้ 14 หน้า', VERDICT_MS)
    await user.choose('student_outcome', await pdf(corpus, 'ผลงานนักเรียน.pdf', { pages: 4 }))
    await user.says(page.locator('.summary'), 'ไฟล์ครบถ้วนตามเกณฑ์', VERDICT_MS)
    await user.says(page.locator('.summary'), /^นับเป็นเวลาส่ง: \d+ .+ 25\d\d เวลา \d\d:\d\d:\d\d น\.$/)

    // One file of several is replaced by name, and stands until the better one has passed.
    const outcomes = user.card('student_outcome')
    const better = await pdf(corpus, 'ผลงานนักเรียน ฉบับแก้.pdf', { pages: 5 })
    await outcomes.getByLabel('เปลี่ยนไฟล์: ผลงานนักเรียน.pdf').setInputFiles(better)
    await user.says(outcomes, '5 หน้า', VERDICT_MS)
    await waitFor(async () => (await outcomes.locator('.file').count()) === 1)
    const replaced = (await house.portal.uploads(id)).filter(({ superseded }) => superseded)
    expect(replaced.map(({ declared }) => declared.filename)).toEqual(['ผลงานนักเรียน.pdf'])

    // A second file, since the slot takes three; then no more than one of them may be a film.
    await user.card('student_outcome').locator('.adding input').setInputFiles(film)
    await user.says(user.card('student_outcome'), /เป็นไฟล์เดียวกับที่ส่งไว้แล้ว/, VERDICT_MS)

    await user.card(VIDEO).locator('video').waitFor({ timeout: VERDICT_MS })
    const playing = `(async () => {
      const film = document.querySelector('#slot-${VIDEO} video')
      film.muted = true
      await film.play()
      return film.poster !== '' && film.currentTime > 0
    })()`
    await waitFor(() => page.evaluate(playing), { timeoutMs: VERDICT_MS, what: 'the film to play' })
    await page.evaluate(`document.querySelector('#slot-${VIDEO} video').pause()`)
    await user.card('lesson_plan').locator('img').scrollIntoViewIfNeeded({ timeout: VERDICT_MS })
    const seen = `document.querySelector('#slot-lesson_plan img').naturalWidth > 0`
    await waitFor(() => page.evaluate(seen), { what: 'the picture of the first page' })

    await user.card('lesson_plan').getByText('หลักฐานการรับไฟล์').click()
    const sum = createHash('sha256')
      .update(await readFile(plan))
      .digest('hex')
    await user.says(user.card('lesson_plan'), sum, VERDICT_MS)
    const [receipt] = await Promise.all([
      page.waitForEvent('download'),
      user.card('lesson_plan').getByRole('button', { name: 'ใบรับไฟล์' }).click(),
    ])
    const { claims } = JSON.parse(await readFile(await receipt.path(), 'utf8')) as {
      claims: { sha256: string }
    }
    expect(claims.sha256).toBe(sum)

    const minutes = user.card('lesson_plan').getByLabel(/^เวลาเรียนตามแผน/)
    await minutes.fill('๕๐')
    await minutes.blur()
    await user.says(user.card('lesson_plan'), 'บันทึกแล้ว')
    expect((await house.portal.submission(id)).slots[0]?.metadata).toEqual({ plannedMinutes: 50 })
    expect(await seriousFaults(user)).toEqual([])
    await shot('phone-complete', user)

    const desk = await teacher({ url })
    await desk.says(desk.page.locator('.summary'), 'ไฟล์ครบถ้วนตามเกณฑ์')
    await desk.card(VIDEO).locator('video').waitFor()
    expect(await seriousFaults(desk)).toEqual([])
    await shot('desktop-complete', desk)
    await desk.page.getByRole('button', { name: 'ยื่นคำขอ' }).click()
    await desk.says(desk.page.locator('dialog'), 'ยื่นคำขอนี้ใช่หรือไม่')
    expect(await seriousFaults(desk)).toEqual([])
    await desk.page.locator('dialog').getByRole('button', { name: 'ยื่นคำขอ' }).click()
    await desk.says(desk.page.locator('.summary'), 'ยื่นคำขอแล้ว')
    expect((await house.portal.submission(id)).state).toBe('sealed')
    // The first page hears of it, and offers nothing any more.
    await user.says(page.locator('.summary'), 'ยื่นคำขอแล้ว')
    await waitFor(async () => (await page.locator('input[type=file]').count()) === 0)
    await desk.page.getByRole('button', { name: /English/ }).click()
    await desk.says(desk.page.locator('.summary'), 'Handed in')
    expect(await desk.page.getAttribute('html', 'lang')).toBe('en')
    await desk.page.reload()
    await desk.says(desk.page.locator('.summary'), 'Handed in')
    expect(await seriousFaults(desk)).toEqual([])
    await shot('desktop-sealed', desk)
  })

  test('is told verdicts where no stream of events gets through', async () => {
    const { url } = await session()
    const user = await teacher({ url })
    await user.page.route('**/events?*', (route) => route.abort())
    await user.page.reload()
    await user.says(user.page.locator('.content'), /^กำลังเชื่อมต่อใหม่/)
    await user.choose('lesson_plan', plan)
    await user.says(user.card('lesson_plan'), /^ผ่านเกณฑ์/, VERDICT_MS)
  })

  test('is worked by keyboard alone', async () => {
    const { url } = await session()
    const { page } = await teacher({ url, locale: 'en-GB' })
    await page.waitForSelector('.card')
    const focused = async () => {
      const script = `(() => {
        const element = document.activeElement
        const shown = element.type === 'file' ? element.nextElementSibling : element
        const { outlineStyle, outlineWidth } = getComputedStyle(shown)
        return { name: element.id || element.className || element.textContent, outlineStyle, outlineWidth }
      })()`
      return (await page.evaluate(script)) as { name: string; outlineStyle: string; outlineWidth: string }
    }
    const names: string[] = []
    for (let tabs = 0; tabs < 40 && !names.includes('choose-student_outcome'); tabs++) {
      await page.keyboard.press('Tab')
      const { name, ...outline } = await focused()
      expect(outline, name).toEqual({ outlineStyle: 'solid', outlineWidth: '3px' })
      names.push(name)
    }
    expect(names.slice(0, 2)).toEqual(['skip', 'language'])
    expect(names).toEqual(
      expect.arrayContaining(['choose-lesson_plan', 'field-lesson_plan-plannedMinutes', `choose-${VIDEO}`]),
    )
    await page.locator('.skip').focus()
    await page.keyboard.press('Enter')
    expect((await focused()).name).toBe('files')
    await page.locator(`#choose-${VIDEO}`).focus()
    const [dialogue] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')])
    await dialogue.setFiles(plan)
    await page
      .locator(`#slot-${VIDEO}`)
      .getByText(/^This file is a PDF/)
      .waitFor()
  })

  test('says that its time is over, and what to do', async () => {
    const { url, id } = await session({ expiresInSeconds: 12 })
    const user = await teacher({ url })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await user.choose(VIDEO, film)
    await user.says(user.page.locator('.notice'), 'หน้านี้หมดเวลาใช้งานแล้ว')
    await user.says(user.page.locator('.notice'), /^ไฟล์ที่กำลังส่งยังส่งต่อได้จนเสร็จ/)
    expect(await user.page.locator('input[type=file]').count()).toBe(0)
    await user.line({})
    await user.says(user.page.locator('.tray'), 'ส่งถึงระบบครบแล้ว ปิดหน้านี้ได้')
    expect((await house.portal.uploads(id)).map(({ receivedBytes: all }) => all)).toEqual([filmBytes])
    expect(await seriousFaults(user)).toEqual([])
    const stranger = await teacher({ url: `${house.service.url}/portal`, locale: 'en-GB' })
    await stranger.says(stranger.page.locator('.notice'), 'Open this page from your system')
    expect(await seriousFaults(stranger)).toEqual([])
  })
})
