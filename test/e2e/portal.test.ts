// The teacher's page in a real browser, with the service and a worker behind it: what it asks for, what it finds wrong before
// a byte is sent, how it is worked without a mouse, and the whole way from the first file to a request handed in twice.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { long } from '../support/media/lies.ts'
import { pdf } from '../support/media/pdfs.ts'
import { paddedPdf } from '../support/media/sizes.ts'
import { lesson } from '../support/media/videos.ts'
import { MOST_RECEIVED, openStaffRoom, SLOW_BYTES_PER_SECOND, type StaffRoom, VIDEO } from './support/staff-room.ts'
import type { Teacher } from './support/teacher.ts'

/** Time enough to look at everything that the page says while it sends. */
const POOR_BYTES_PER_SECOND = 1_000_000

describe.skipIf(!chromiumAvailable())('the page of a session', () => {
  let room: StaffRoom
  beforeAll(async () => {
    room = await openStaffRoom()
  })
  afterAll(async () => await room?.close())
  afterEach(async () => {
    expect(await room.leave()).toEqual([])
  })

  test('says in Thai what is asked for, and takes no byte of a file that cannot be right', async () => {
    const { url, id, closesAt } = await room.session()
    const user = await room.teacher({ url, screen: 'phone' })
    const { page } = user
    await user.says(page.locator('main'), 'ส่งไฟล์ประกอบคำขอ')
    await user.says(page.locator('main'), `เลขที่คำขอ ${id}`)
    const closes = new RegExp(`^ปิดรับ \\d+ .+ 25\\d\\d เวลา ${closesAt}\\sน\\.$`)
    await user.says(page.locator('.deadline'), closes)
    await user.says(page.locator('.deadline'), /^เหลือเวลา 2 วัน/)
    await user.says(page.locator('.summary'), 'ไฟล์พร้อมแล้ว 0 จาก 4 รายการ')
    expect(await user.state(VIDEO)).toBe('ยังไม่มีไฟล์')
    await user.says(user.card(VIDEO), 'ยาวไม่เกิน 60 นาที')
    await user.says(user.card('student_outcome'), '1–3 ไฟล์')
    await user.says(user.card('student_outcome'), 'ไม่เกิน 10 หน้า')
    // The token is out of the address, and a reload still knows it.
    expect(page.url()).not.toContain('token')
    expect(await user.barriers()).toEqual([])
    await user.shot('phone-empty')

    await user.choose(VIDEO, room.plan)
    await user.says(user.card(VIDEO), /^ไฟล์นี้เป็น PDF ช่องนี้รับเฉพาะวีดิทัศน์/)
    await user.choose('inspiration_video', await lesson(room.corpus, { audio: 'none' }))
    await user.says(user.card('inspiration_video'), 'วีดิทัศน์นี้ไม่มีเสียง')
    await user.choose('student_outcome', await room.cutFilm())
    await user.says(user.card('student_outcome'), /^ไฟล์นี้ไม่สมบูรณ์/)
    expect(await user.state(VIDEO)).toBe('ยังไม่ได้ส่ง')
    await user.choose('lesson_plan', await paddedPdf(room.corpus, 52_533_658))
    await user.says(user.card('lesson_plan'), /^ไฟล์มีขนาด 50\.1 MB เกินขนาดสูงสุด 50 MB/)
    await user.choose('inspiration_video', await long(room.corpus, 647))
    await user.says(user.card('inspiration_video'), /^วีดิทัศน์ยาว 10:\d\d เกิน 10 นาทีไป/)
    expect(user.requests).toEqual([])
    expect(await room.stack.portal.uploads(id)).toEqual([])
    expect(await user.barriers()).toEqual([])
    await user.shot('phone-blocked')
  })

  test('is worked by keyboard alone', async () => {
    const { url } = await room.session()
    const { page } = await room.teacher({ url, locale: 'en-GB' })
    await page.waitForSelector('.card')
    // Asked for early: it is some time before the browser hands its dialogues to us.
    const dialogue = page.waitForEvent('filechooser')
    const focused = async () => {
      const script = `(() => {
        let element = document.activeElement
        while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
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
    await page.keyboard.press('Enter')
    await (await dialogue).setFiles(room.plan)
    await page
      .locator(`#slot-${VIDEO}`)
      .getByText(/^This file is a PDF/)
      .waitFor()
  })

  test('takes a whole submission over a bad line and two machines, and again after a return', async () => {
    const { url, id } = await room.session({ can: ['read', 'upload', 'seal'] })
    const phone = await room.teacher({ url, screen: 'phone' })
    const desk = await room.teacher({ url })
    await sendsFilm(room, id, phone, desk)
    await fillsRest(room, id, desk)
    await looksAtIt(room, id, desk)
    const again = await room.teacher({ url, screen: 'phone' })
    await handsIn(room, id, desk, again)
    await endsByItself(room, id, again)
  })

  test('says with an hour left that it is not complete, and after the end that it was not handed in', async () => {
    const { url, id } = await room.session({ can: ['read', 'upload', 'seal'] })
    const user = await room.teacher({ url, screen: 'phone' })
    const summary = user.page.locator('.summary')
    await endsIn(room, id, 59 * 60_000)
    await user.says(user.page.locator('.deadline'), /^เหลือเวลา 5\d นาที \d+ วินาที$/)
    await user.says(summary, 'ยังไม่ครบ ยังไม่ได้ยื่นคำขอ')
    await user.shot('deadline-incomplete')
    await endsIn(room, id, 59 * 60_000, { sealAtDeadline: true })
    await user.says(summary, /^หากไฟล์ครบทุกรายการภายใน .+ ระบบจะยื่นคำขอให้เอง หากไม่ครบ ระบบจะไม่ยื่น$/)
    expect(await user.barriers()).toEqual([])
    await endsIn(room, id, 1000, { sealAtDeadline: true })
    await user.says(summary, 'หมดเวลาแล้ว ไม่ได้ยื่นคำขอ')
    await user.says(summary, /^หากส่งไม่ได้เพราะระบบขัดข้อง โปรดติดต่อเจ้าหน้าที่/)
    expect(await user.page.locator('.tray').count()).toBe(0)
    expect(await summary.locator('.seal').count()).toBe(0)
    expect(await user.barriers()).toEqual([])
    await user.shot('deadline-lapsed')
  })
})

/** A film, in spite of a line that is lost, a page that is loaded again, and a phone that is put away for a desk. */
async function sendsFilm({ film, filmBytes, ...room }: StaffRoom, id: string, phone: Teacher, desk: Teacher) {
  const { page } = phone
  const card = phone.card(VIDEO)
  const tray = page.locator('.tray')
  await page.waitForSelector('.card')
  await phone.line({ bytesPerSecond: POOR_BYTES_PER_SECOND })
  const before = await room.receivedBytes()
  // Browsers ask before leaving only where somebody has touched the page.
  await page.locator('h1').click()
  await phone.choose(VIDEO, film)
  await room.share(0.05, before)
  await phone.says(card, /เหลือราว \d+ วินาที/)
  await phone.says(card, /^\d+(\.\d)? [KM]B\/วินาที$/)
  await phone.says(tray, 'โปรดเปิดหน้านี้ไว้จนกว่าจะส่งเสร็จ')
  expect(await page.title()).toMatch(/^\d+% · /)
  expect(await phone.state(VIDEO)).toBe('กำลังส่ง')
  expect(await phone.screenLocks()).toBe(1)
  expect(await phone.barriers()).toEqual([])
  await phone.shot('phone-sending', 'window')

  await phone.line({ bytesPerSecond: POOR_BYTES_PER_SECOND, offline: true })
  await phone.says(card, /^อินเทอร์เน็ตขาดหาย ระบบจะส่งต่อเอง/)
  await phone.says(tray, /^ไม่มีอินเทอร์เน็ต ส่วนที่ส่งแล้วไม่หาย/)
  expect(await page.locator('#announcements').textContent()).not.toBe('')
  await phone.line({ bytesPerSecond: POOR_BYTES_PER_SECOND })
  await room.share(0.3, before)
  await page.reload()
  expect(phone.warnings).toBe(1)
  await phone.says(card, /^ส่งค้างไว้ ยังไม่ครบ โปรดเลือกไฟล์เดิมอีกครั้ง/)
  expect(await phone.state(VIDEO)).toBe('ส่งค้างไว้')
  expect(await phone.barriers()).toEqual([])
  await phone.shot('phone-unfinished')
  await phone.choose(VIDEO, await lesson(room.corpus, { seconds: 3 }))
  await phone.says(card, /^ไฟล์ที่เลือกไม่ใช่ไฟล์เดิม/)
  await card.getByRole('button', { name: 'นำออก' }).click()
  // Others hear of a file within some seconds, and are looked at on a busy machine.
  await phone.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
  await phone.choose(VIDEO, film)
  await waitFor(() => phone.requests.length === 6, { what: 'it to go on' })
  expect(phone.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH', 'HEAD', 'PATCH'])
  await room.share(0.42, before)

  await desk.says(desk.card(VIDEO), 'กำลังส่งจากหน้าอื่นหรือเครื่องอื่น')
  await phone.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND, offline: true })
  await phone.close()
  await desk.choose(VIDEO, film)
  await desk.says(desk.page.locator('.tray'), 'ยังไม่ได้ยื่นคำขอ')
  await desk.says(desk.page.locator('.tray'), /^ยังขาดอีก 3 รายการ$/)
  await desk.says(desk.card(VIDEO), /^ไฟล์ใช้ได้/)
  expect(await desk.screenLocks()).toBe(0)
  expect(desk.requests.map(({ method }) => method)).toEqual(['HEAD', 'PATCH'])
  expect(desk.requests[1]?.offset).toBeGreaterThan(filmBytes * 0.4)
  expect((await room.receivedBytes()) - before).toBeLessThanOrEqual(filmBytes * MOST_RECEIVED)
  expect(await room.stack.portal.uploads(id)).toHaveLength(1)
}

/** All other files; some are rejected, and better ones take their places. */
async function fillsRest({ corpus, plan, film, stack }: StaffRoom, id: string, user: Teacher) {
  const summary = user.page.locator('.summary')
  const inspiration = user.card('inspiration_video')
  const outcomes = user.card('student_outcome')
  await user.choose('lesson_plan', plan)
  await user.choose('inspiration_video', await lesson(corpus, { audio: 'none' }))
  await user.says(inspiration, 'วีดิทัศน์นี้ไม่มีเสียง')
  await inspiration.getByRole('button', { name: 'ยืนยันส่งไฟล์นี้' }).click()
  await user.choose('student_outcome', await pdf(corpus, 'ผลงาน 14 หน้า.pdf', { pages: 14 }))
  await user.says(inspiration, /^วีดิทัศน์แรงบันดาลใจไม่มีเสียง โปรดตรวจดู/)
  await user.says(outcomes, /^กำหนดไว้ 10 หน้า$/)
  await user.says(outcomes, /^วัดได้ 14 หน้า$/)
  expect(await user.state('inspiration_video')).toBe('ต้องเปลี่ยนไฟล์')
  await user.says(summary, 'ไฟล์พร้อมแล้ว 2 จาก 4 รายการ')
  await user.says(summary.locator('.missing'), 'ต้องเปลี่ยนไฟล์')
  expect(await user.barriers()).toEqual([])
  await user.shot('desktop-rejected')

  await user.choose('inspiration_video', await lesson(corpus))
  await user.choose('student_outcome', await pdf(corpus, 'ผลงานนักเรียน.pdf', { pages: 4 }))
  await user.says(summary, /^ไฟล์ครบทุกรายการแล้ว/)
  expect(await user.state('inspiration_video')).toBe('ไฟล์ใช้ได้')
  await user.says(inspiration, 'ประวัติการส่ง (1)')

  // One file of several is replaced by name, and stands until the better one has passed.
  const better = await pdf(corpus, 'ผลงานนักเรียน ฉบับแก้.pdf', { pages: 5 })
  await outcomes.getByLabel('เปลี่ยนไฟล์: ผลงานนักเรียน.pdf').setInputFiles(better)
  await user.says(outcomes, '5 หน้า')
  await waitFor(async () => (await outcomes.locator('.file').count()) === 1)
  const replaced = (await stack.portal.uploads(id)).filter(({ superseded }) => superseded)
  expect(replaced.map(({ declared }) => declared.filename)).toContain('ผลงานนักเรียน.pdf')
  // A second file, since the slot takes three; it is the film of another slot.
  await outcomes.locator('.adding input').setInputFiles(film)
  await user.says(outcomes, /เป็นไฟล์เดียวกับที่ส่งไว้แล้ว/)
}

/** What the assessors will see, what proves that it was received, and what a slot asks besides files. */
async function looksAtIt({ stack, plan }: StaffRoom, id: string, user: Teacher) {
  const { page } = user
  const card = user.card('lesson_plan')
  await user.card(VIDEO).locator('video').waitFor()
  const inElement = `document.querySelector('songngan-upload').shadowRoot`
  const playing = `(async () => {
    const film = ${inElement}.querySelector('#slot-${VIDEO} video')
    film.muted = true
    await film.play()
    return film.poster !== '' && film.currentTime > 0
  })()`
  await waitFor(() => page.evaluate(playing), { what: 'the film to play' })
  await page.evaluate(`${inElement}.querySelector('#slot-${VIDEO} video').pause()`)
  await card.locator('img').scrollIntoViewIfNeeded()
  const seen = `${inElement}.querySelector('#slot-lesson_plan img').naturalWidth > 0`
  await waitFor(() => page.evaluate(seen), { what: 'the picture of the first page' })

  await card.getByText('หลักฐานการรับไฟล์').click()
  const sum = createHash('sha256')
    .update(await readFile(plan))
    .digest('hex')
  await user.says(card, sum)
  const [receipt] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('button', { name: 'ใบรับไฟล์' }).click(),
  ])
  const { claims } = JSON.parse(await readFile(await receipt.path(), 'utf8')) as {
    claims: { sha256: string }
  }
  expect(claims.sha256).toBe(sum)

  const minutes = card.getByLabel(/^เวลาเรียนตามแผน/)
  await minutes.fill('๕๐')
  await minutes.blur()
  await user.says(card, 'บันทึกแล้ว')
  expect((await stack.portal.submission(id)).slots[0]?.metadata).toEqual({ plannedMinutes: 50 })
  expect(await user.barriers()).toEqual([])
  await user.shot('desktop-complete')
}

/** On one machine; hears on the other that it came back, and hands it in there as it is. */
async function handsIn({ stack }: StaffRoom, id: string, desk: Teacher, phone: Teacher) {
  const summary = phone.page.locator('.summary')
  await endsIn({ stack }, id, 59 * 60_000)
  await phone.says(summary, 'ยังไม่ได้ยื่นคำขอ')
  await phone.says(summary, /^เหลือเวลา 5\d นาที \d+ วินาที ปิดรับ/)
  // It cannot be overlooked wherever the page is scrolled to, and cannot be closed.
  await phone.says(phone.page.locator('.tray'), 'ยังไม่ได้ยื่นคำขอ')
  expect(await phone.page.locator('.tray .close').count()).toBe(0)
  expect(await summary.textContent()).not.toContain('นับเป็นเวลาส่ง')
  expect(await phone.barriers()).toEqual([])
  await phone.shot('deadline-not-handed-in')
  await phone.shot('deadline-not-handed-in-window', 'window')
  await endsIn({ stack }, id, 59 * 60_000, { sealAtDeadline: true })
  await phone.says(summary, 'ไฟล์ครบแล้ว ระบบจะยื่นให้เองเมื่อหมดเวลา')
  await phone.shot('deadline-by-itself')
  await endsIn({ stack }, id, 59 * 60_000)
  await desk.page.locator('.summary').getByRole('button', { name: 'ยื่นคำขอ' }).click()
  const question = desk.page.locator('dialog')
  await desk.says(question, 'ยื่นคำขอนี้ใช่หรือไม่')
  expect(await desk.barriers()).toEqual([])
  await desk.shot('desktop-dialog', 'window')
  await question.getByRole('button', { name: 'ยื่นคำขอ' }).click()
  await phone.says(summary, /^ยื่นคำขอแล้ว/)
  await phone.says(summary, /^ยื่นเมื่อ \d+ .+ 25\d\d เวลา \d\d:\d\d:\d\d\sน\.$/)
  await phone.says(summary, /^นับเป็นเวลาส่ง: \d+ .+ 25\d\d เวลา \d\d:\d\d:\d\d\sน\.$/)
  await phone.says(summary.locator('.handed-in'), 'ไฟล์วีดิทัศน์บันทึกการสอน')
  await summary.locator('.handed-in').getByRole('button', { name: 'ใบรับไฟล์' }).first().waitFor()
  expect((await stack.portal.submission(id)).state).toBe('sealed')
  await waitFor(async () => (await phone.page.locator('input[type=file]').count()) === 0)
  expect(await phone.barriers()).toEqual([])
  await phone.shot('deadline-handed-in')

  const reason = 'วีดิทัศน์การสอนเสียงเบามาก โปรดตรวจอีกครั้ง'
  const slots = [VIDEO]
  expect((await stack.call('POST', `/v1/submissions/${id}/return`, { reason, slots })).status).toBe(200)
  await phone.says(summary, 'คำขอถูกส่งคืนให้แก้ไข')
  await phone.says(summary, reason)
  await phone.says(summary, /^โปรดเปลี่ยนเฉพาะไฟล์ที่ต้องแก้ ไฟล์อื่นใช้ของเดิม ไม่ต้องส่งใหม่/)
  expect(await phone.barriers()).toEqual([])
  await phone.shot('phone-returned')
  await desk.page.evaluate('scrollTo(0, 0)')
  await desk.shot('desktop-returned', 'window')
  expect(await phone.state(VIDEO)).toBe('ต้องเปลี่ยนไฟล์')
  expect(await phone.state('lesson_plan')).toBe('ไฟล์ใช้ได้')
  await phone.page.getByRole('button', { name: 'ยื่นคำขออีกครั้ง' }).click()
  await phone.says(phone.page.locator('dialog'), /^ท่านยังไม่ได้เปลี่ยนไฟล์ที่ถูกส่งคืน: ไฟล์วีดิทัศน์บันทึกการสอน/)
  await phone.page.locator('dialog').getByRole('button', { name: 'ยื่นคำขอ' }).click()
  await phone.says(summary, 'ยื่นคำขอแล้ว')
  expect(phone.requests).toEqual([])
  const [first, second] = (await stack.portal.submission(id)).revisions
  expect(second).toMatchObject({ revision: 2, uploads: first?.uploads })

  await desk.page.getByRole('button', { name: /English/ }).click()
  await desk.says(desk.page.locator('.summary'), 'Handed in')
  expect(await desk.page.getAttribute('html', 'lang')).toBe('en')
  await desk.page.reload()
  await desk.says(desk.page.locator('.summary'), 'Handed in')
  expect(desk.warnings).toBe(0)
  expect(await desk.barriers()).toEqual([])
  await desk.shot('desktop-sealed')
}

/** The portal moves the deadline. */
async function endsIn({ stack }: Pick<StaffRoom, 'stack'>, id: string, ms: number, more: object = {}) {
  const deadline = new Date(Date.now() + ms).toISOString()
  await stack.portal.putSubmission(id, { profile: 'teacher.K2@1', deadline, ...more })
}

/** Returned once more, and left as it is until the time is over. */
async function endsByItself(room: StaffRoom, id: string, phone: Teacher) {
  const summary = phone.page.locator('.summary')
  expect((await room.stack.call('POST', `/v1/submissions/${id}/return`, { reason: 'ขอให้ตรวจอีกครั้ง' })).status).toBe(200)
  await endsIn(room, id, 1000, { sealAtDeadline: true })
  await phone.says(summary, 'ระบบยื่นคำขอให้แล้ว')
  await phone.says(summary, /^หมดเวลาแล้วและไฟล์ครบ ระบบจึงยื่นให้เองเมื่อ/)
  expect((await room.stack.portal.submission(id)).revisions.at(-1)).toMatchObject({ revision: 3, sealedBy: 'deadline' })
  expect(await phone.barriers()).toEqual([])
  await phone.shot('deadline-handed-in-by-itself')
}
