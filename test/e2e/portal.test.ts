// The teacher's page in a real browser, with the service and a worker behind it: what it asks for, what it finds wrong, and a
// whole submission from the first file to the handing in.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { pdf } from '../support/media/pdfs.ts'
import { lesson } from '../support/media/videos.ts'
import {
  openStaffRoom,
  SLOW_BYTES_PER_SECOND,
  type StaffRoom,
  VERDICT_MS,
  VIDEO,
} from './support/staff-room.ts'

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
    const { url, id } = await room.session()
    const user = await room.teacher({ url, screen: 'phone' })
    const { page } = user
    await user.says(page.locator('main'), 'ส่งไฟล์ประกอบคำขอ')
    await user.says(page.locator('main'), `เลขที่คำขอ ${id}`)
    await user.says(page.locator('.deadline'), /^ปิดรับ \d+ .+ 25\d\d เวลา \d\d:\d\d\sน\.$/)
    await user.says(page.locator('.deadline'), /^เหลือเวลา 2 วัน/)
    await user.says(page.locator('.summary'), 'ผ่านแล้ว 0 จาก 4 รายการ')
    expect(await user.state(VIDEO)).toBe('ยังไม่มีไฟล์')
    await user.says(user.card(VIDEO), 'ยาวไม่เกิน 60 นาที')
    await user.says(user.card('student_outcome'), '1–3 ไฟล์')
    await user.says(user.card('student_outcome'), 'ไม่เกิน 10 หน้า')
    // The token is out of the address, and a reload still knows it.
    expect(page.url()).not.toContain('token')
    expect(await user.barriers()).toEqual([])
    await user.shot('phone-empty')

    await user.choose(VIDEO, room.plan)
    await user.says(user.card(VIDEO), /^ไฟล์นี้เป็น PDF ช่องนี้รับเฉพาะวิดีโอ/)
    await user.choose('inspiration_video', await lesson(room.corpus, { audio: 'none' }))
    await user.says(user.card('inspiration_video'), 'วิดีโอนี้ไม่มีเสียง')
    await user.choose('student_outcome', await room.cutFilm())
    await user.says(user.card('student_outcome'), /^ไฟล์นี้ไม่สมบูรณ์/)
    expect(user.requests).toEqual([])
    expect(await room.house.portal.uploads(id)).toEqual([])
    expect(await user.barriers()).toEqual([])
    await user.shot('phone-blocked')
  })

  test('shows why a film was rejected, and takes a better one in its place', async () => {
    const { url, id } = await room.session()
    const user = await room.teacher({ url, screen: 'phone' })
    await user.page.waitForSelector('.card')
    await user.choose(VIDEO, await lesson(room.corpus, { audio: 'none' }))
    await user.card(VIDEO).getByRole('button', { name: 'ส่งไฟล์นี้อยู่ดี' }).click()
    await user.says(user.card(VIDEO), /^คลิปการสอนไม่มีเสียง โปรดตรวจดู/, VERDICT_MS)
    expect(await user.state(VIDEO)).toBe('ต้องแก้ไข')
    await user.says(user.card(VIDEO), /^เกณฑ์ 10:00$/)
    await user.says(user.card(VIDEO), /^วัดได้ 0:04$/)
    expect(await user.barriers()).toEqual([])
    await user.shot('phone-rejected')

    await user.choose(VIDEO, room.film)
    await user.says(user.card(VIDEO), /^ผ่านเกณฑ์/, VERDICT_MS)
    expect(await user.state(VIDEO)).toBe('ผ่าน')
    await user.says(user.card(VIDEO), 'ประวัติการส่ง (1)')
    expect((await room.house.portal.uploads(id)).map(({ accepted }) => accepted)).toEqual([false, true])
  })

  test('fills a whole submission, shows what the assessors will see, and hands it in', async () => {
    const { url, id } = await room.session({ can: ['read', 'upload', 'seal'] })
    const user = await room.teacher({ url, screen: 'phone' })
    const { page } = user
    await page.waitForSelector('.card')
    await user.choose('lesson_plan', room.plan)
    await user.choose(VIDEO, room.film)
    await user.choose('inspiration_video', await lesson(room.corpus, { seconds: 5, size: '640x360' }))
    await user.choose('student_outcome', await pdf(room.corpus, 'ผลงาน 14 หน้า.pdf', { pages: 14 }))
    await user.says(user.card('student_outcome'), 'วัดได้ 14 หน้า', VERDICT_MS)
    await user.choose('student_outcome', await pdf(room.corpus, 'ผลงานนักเรียน.pdf', { pages: 4 }))
    await user.says(page.locator('.summary'), 'ไฟล์ครบถ้วนตามเกณฑ์', VERDICT_MS)
    await user.says(page.locator('.summary'), /^นับเป็นเวลาส่ง: \d+ .+ 25\d\d เวลา \d\d:\d\d:\d\d\sน\.$/)

    // One file of several is replaced by name, and stands until the better one has passed.
    const outcomes = user.card('student_outcome')
    const better = await pdf(room.corpus, 'ผลงานนักเรียน ฉบับแก้.pdf', { pages: 5 })
    await outcomes.getByLabel('เปลี่ยนไฟล์: ผลงานนักเรียน.pdf').setInputFiles(better)
    await user.says(outcomes, '5 หน้า', VERDICT_MS)
    await waitFor(async () => (await outcomes.locator('.file').count()) === 1)
    const replaced = (await room.house.portal.uploads(id)).filter(({ superseded }) => superseded)
    expect(replaced.map(({ declared }) => declared.filename)).toEqual(['ผลงานนักเรียน.pdf'])

    // A second file, since the slot takes three; then no more than one of them may be a film.
    await user.card('student_outcome').locator('.adding input').setInputFiles(room.film)
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
      .update(await readFile(room.plan))
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
    expect((await room.house.portal.submission(id)).slots[0]?.metadata).toEqual({ plannedMinutes: 50 })
    expect(await user.barriers()).toEqual([])
    await user.shot('phone-complete')

    const desk = await room.teacher({ url })
    await desk.says(desk.page.locator('.summary'), 'ไฟล์ครบถ้วนตามเกณฑ์')
    await desk.card(VIDEO).locator('video').waitFor()
    expect(await desk.barriers()).toEqual([])
    await desk.shot('desktop-complete')
    await desk.page.getByRole('button', { name: 'ยื่นคำขอ' }).click()
    await desk.says(desk.page.locator('dialog'), 'ยื่นคำขอนี้ใช่หรือไม่')
    expect(await desk.barriers()).toEqual([])
    await desk.page.locator('dialog').getByRole('button', { name: 'ยื่นคำขอ' }).click()
    await desk.says(desk.page.locator('.summary'), 'ยื่นคำขอแล้ว')
    expect((await room.house.portal.submission(id)).state).toBe('sealed')
    // The first page hears of it, and offers nothing any more.
    await user.says(page.locator('.summary'), 'ยื่นคำขอแล้ว')
    await waitFor(async () => (await page.locator('input[type=file]').count()) === 0)
    await desk.page.getByRole('button', { name: /English/ }).click()
    await desk.says(desk.page.locator('.summary'), 'Handed in')
    expect(await desk.page.getAttribute('html', 'lang')).toBe('en')
    await desk.page.reload()
    await desk.says(desk.page.locator('.summary'), 'Handed in')
    expect(await desk.barriers()).toEqual([])
    await desk.shot('desktop-sealed')
  })

  test('is told verdicts where no stream of events gets through', async () => {
    const { url } = await room.session()
    const user = await room.teacher({ url })
    await user.page.route('**/events?*', (route) => route.abort())
    await user.page.reload()
    await user.says(user.page.locator('.content'), /^กำลังเชื่อมต่อใหม่/)
    await user.choose('lesson_plan', room.plan)
    await user.says(user.card('lesson_plan'), /^ผ่านเกณฑ์/, VERDICT_MS)
  })

  test('is worked by keyboard alone', async () => {
    const { url } = await room.session()
    const { page } = await room.teacher({ url, locale: 'en-GB' })
    await page.waitForSelector('.card')
    // Asked for early: it is some time before the browser hands its dialogues to us.
    const dialogue = page.waitForEvent('filechooser')
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
    await page.keyboard.press('Enter')
    await (await dialogue).setFiles(room.plan)
    await page
      .locator(`#slot-${VIDEO}`)
      .getByText(/^This file is a PDF/)
      .waitFor()
  })

  test('says that its time is over, and what to do', async () => {
    const { url, id } = await room.session({ expiresInSeconds: 12 })
    const user = await room.teacher({ url })
    await user.page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await user.choose(VIDEO, room.film)
    await user.says(user.page.locator('.notice'), 'หน้านี้หมดเวลาใช้งานแล้ว')
    await user.says(user.page.locator('.notice'), /^ไฟล์ที่กำลังส่งยังส่งต่อได้จนเสร็จ/)
    expect(await user.page.locator('input[type=file]').count()).toBe(0)
    await user.line({})
    await user.says(user.page.locator('.tray'), 'ส่งถึงระบบครบแล้ว ปิดหน้านี้ได้')
    expect((await room.house.portal.uploads(id)).map(({ receivedBytes: all }) => all)).toEqual([
      room.filmBytes,
    ])
    expect(await user.barriers()).toEqual([])
    const stranger = await room.teacher({ url: `${room.house.service.url}/portal`, locale: 'en-GB' })
    await stranger.says(stranger.page.locator('.notice'), 'Open this page from your system')
    expect(await stranger.barriers()).toEqual([])
  })
})
