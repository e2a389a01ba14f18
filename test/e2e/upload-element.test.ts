// The element in pages of a portal at another origin, in a real browser: the whole of a submission or single slots, under a policy
// without exceptions, in the portal's colours, with what its page is told.

import { writeFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAvailable } from '../support/chromium.ts'
import { waitFor } from '../support/http.ts'
import { pdf } from '../support/media/pdfs.ts'
import { lesson } from '../support/media/videos.ts'
import { type PortalServer, startPortalServer } from './support/portal-server.ts'
import { openStaffRoom, SLOW_BYTES_PER_SECOND, type StaffRoom, VIDEO } from './support/staff-room.ts'

const PLAN = 'lesson_plan'
/** Enough for a busy machine to begin the film, which takes thrice as long. */
const SHORT_SECONDS = 30

/** Keeps what the page around the elements is told. */
const LISTEN = `
  globalThis.told = []
  for (const name of ['submission', 'progress', 'stored', 'verdict', 'refused', 'expired'])
    addEventListener('songngan-' + name, ({ target, detail }) => told.push({ name, by: target.id, ...detail }))
`

/** As it is drawn. */
function styleOf(page: Page, selector: string, property: string): Promise<unknown> {
  const inElement = `document.querySelector('songngan-upload').shadowRoot.querySelector('${selector}')`
  return page.evaluate(`getComputedStyle(${inElement}).${property}`)
}

type Told = { name: string; by: string; [detail: string]: unknown }

describe.skipIf(!chromiumAvailable())('the element in a page of a portal', () => {
  let portal: PortalServer
  let room: StaffRoom
  beforeAll(async () => {
    portal = await startPortalServer()
    room = await openStaffRoom({ env: { CORS_ORIGINS: portal.origin } })
    portal.to(room.stack.service.url)
  })
  afterAll(async () => {
    await room?.close()
    await portal?.close()
  })
  afterEach(async () => {
    expect(await room.leave()).toEqual([])
  })

  const told = async (page: Page, name: string) =>
    ((await page.evaluate('told')) as Told[]).filter((one) => one.name === name)

  test('takes a file, and tells the page how it goes and what came of it', async () => {
    const { token, id } = await room.session()
    const user = await room.teacher({ url: portal.page(token), screen: 'phone', before: LISTEN })
    const { page } = user
    await page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await user.choose(VIDEO, room.film)
    await user.says(user.card(VIDEO), /^\d+(\.\d)? [KM]B\/วินาที$/)
    await user.says(user.card(VIDEO), /เหลือราว \d+/)
    await user.line({})
    await user.says(user.card(VIDEO), /^ไฟล์ใช้ได้/)
    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
    const [upload] = await room.stack.portal.uploads(id)
    const of = { by: '', slot: VIDEO, uploadId: upload?.id, filename: upload?.declared.filename }
    expect(await told(page, 'stored')).toEqual([{ name: 'stored', ...of }])
    expect(await told(page, 'verdict')).toMatchObject([{ ...of, verdict: 'accepted' }])
    const progress = await told(page, 'progress')
    expect(progress.map(({ percent }) => percent)).toEqual(expect.arrayContaining([null, 0]))
    expect(progress.find(({ files }) => (files as { bytesPerSecond: number }[])[0]?.bytesPerSecond)).toBeDefined()
    const [first] = (await told(page, 'submission')) as unknown as { submission: { id: string; complete: boolean } }[]
    expect(first?.submission).toMatchObject({ id, complete: false })

    await user.choose(PLAN, room.film)
    await user.says(user.card(PLAN), /^ไฟล์นี้เป็นวีดิทัศน์/)
    expect(await told(page, 'refused')).toMatchObject([{ slot: PLAN, problems: [{ name: 'kind' }], message: null }])
  })

  test('is whole and without barriers in every state, on both screens and in both languages', async () => {
    const { corpus } = room
    const { token } = await room.session({ can: ['read', 'upload', 'seal'], metadata: { name: 'ครูสมศรี ใจดี' } })
    const user = await room.teacher({ url: portal.page(token), screen: 'wide' })
    const [film, outcome] = [user.card('inspiration_video'), user.card('student_outcome')]
    const summary = user.page.locator('.summary')
    const looksWell = async (name: string) => expect(await user.looks(`element-${name}`)).toEqual([])
    await user.page.waitForSelector('.card')
    await looksWell('empty')

    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await user.choose(VIDEO, room.film)
    await user.says(user.card(VIDEO), /เหลือราว \d+/)
    await looksWell('sending')
    await user.line({ offline: true })
    await user.says(user.card(VIDEO), /^อินเทอร์เน็ตขาดหาย/)
    expect(await user.state(VIDEO)).toBe('ส่งค้างไว้')
    await looksWell('offline')
    await user.line({})
    await waitFor(async () => (await user.page.locator('.line').count()) === 0, { what: 'the stream of events again' })

    await user.choose(PLAN, await corpus.file('แผน.pdf', (path) => writeFile(path, '%PDF-1.4 not much of one')))
    await user.choose('inspiration_video', await lesson(corpus, { audio: 'none' }))
    await user.choose('student_outcome', await pdf(corpus, 'ผลงาน 14 หน้า.pdf', { pages: 14 }))
    await user.says(film, 'วีดิทัศน์นี้ไม่มีเสียง')
    await user.says(user.card(PLAN), 'ไฟล์ใช้ไม่ได้ โปรดเปลี่ยนไฟล์')
    await user.says(outcome, /^วัดได้ 14 หน้า$/)
    await user.says(user.card(VIDEO), /^ไฟล์ใช้ได้/)
    await looksWell('rejected')

    await user.choose(PLAN, room.plan)
    await user.choose('inspiration_video', await lesson(corpus))
    await user.choose('student_outcome', await pdf(corpus, 'ผลงานนักเรียน.pdf', { pages: 4 }))
    await user.says(summary, /^ไฟล์ครบทุกรายการแล้ว/)
    await user.card(PLAN).locator('img').waitFor()
    await looksWell('complete')

    await summary.getByRole('button', { name: 'ยื่นคำขอ' }).click()
    await user.page.locator('dialog').getByRole('button', { name: 'ยื่นคำขอ' }).click()
    await user.says(summary, /^ยื่นคำขอแล้ว/)
    await user.says(summary, 'พิมพ์ใบรับคำขอ')
    await summary.locator('.handed-in').getByRole('button', { name: 'ใบรับไฟล์' }).first().waitFor()
    await looksWell('handed-in')
  })

  test('stands beside others: one connection for all of a submission, and each minds its own slot', async () => {
    const [{ token, id }, other] = [await room.session(), await room.session()]
    const element = (name: string, more: string) =>
      `<songngan-upload id="${name}" service="__SERVICE__/" ${more}></songngan-upload>`
    const elements = [
      element('plan', `token="__TOKEN__" slot-id="${PLAN}"`),
      element('video', `token="__TOKEN__" slot-id="${VIDEO}"`),
      element('other', `token="${other.token}"`),
      element('none', 'token="__TOKEN__" slot-id="no_such_slot"'),
    ]
    const user = await room.teacher({ url: portal.empty, before: LISTEN })
    const { page } = user
    const streams: string[] = []
    page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (pathname.endsWith('/events')) streams.push(pathname.split('/')[3] ?? '')
    })
    await page.goto(portal.page(token, { elements: elements.join('') }))
    const [plan, video] = [page.locator('#plan'), page.locator('#video')]
    await Promise.all([plan, video].map((one) => one.locator('.card').waitFor()))
    await page.locator('#other .card').nth(3).waitFor()
    await user.says(page.locator('#none'), 'คำขอนี้ไม่มีช่องนี้')
    expect(streams.toSorted()).toEqual([id, other.id])
    expect(await page.locator('#plan .card').count()).toBe(1)
    expect(await page.locator('#plan :is(.summary, .tray)').count()).toBe(0)
    await user.says(plan, /^ปิดรับ/)

    // Dropped, on the card that it is for.
    const bytes = [...Buffer.from('%PDF-1.4 not much of one')]
    await page.evaluate(`(() => {
      const files = new DataTransfer()
      files.items.add(new File([new Uint8Array(${JSON.stringify(bytes)})], 'แผน.pdf', { type: 'application/pdf' }))
      const event = new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true, composed: true })
      document.querySelector('#plan').shadowRoot.querySelector('.card').dispatchEvent(event)
      return event.defaultPrevented
    })()`)
    await user.says(plan, 'ไฟล์ใช้ไม่ได้ โปรดเปลี่ยนไฟล์')
    await user.says(page.locator('#plan .state'), 'ต้องเปลี่ยนไฟล์')
    await user.says(page.locator('#video .state'), 'ยังไม่มีไฟล์')
    const said = (name: string) => page.locator(`#${name} #announcements`).textContent()
    expect(await said('plan')).toContain('แผน.pdf')
    expect([await said('video'), await said('other')]).toEqual(['', ''])
    expect((await told(page, 'verdict')).map(({ by, verdict }) => [by, verdict])).toEqual([['plan', 'rejected']])
    expect((await told(page, 'stored')).map(({ by }) => by)).toEqual(['plan'])
    await page.locator('#video input[type=file]').setInputFiles(room.plan)
    await user.says(video, /^ไฟล์นี้เป็น PDF/)
    expect((await told(page, 'refused')).map(({ by, slot }) => [by, slot])).toEqual([['video', VIDEO]])
    expect(await room.stack.portal.uploads(other.id)).toEqual([])
    expect(await user.looks('element-several')).toEqual([])
  })

  test('is in the colours of the portal, and dark only where the portal’s page is', async () => {
    const { token } = await room.session()
    const styles = `
      songngan-upload { --songngan-accent: rgb(112, 26, 117); --songngan-radius: 3px }
      songngan-upload::part(card) { background: rgb(250, 245, 255) }
      .dark { color-scheme: light dark }`
    const user = await room.teacher({ url: portal.page(token, { styles }), screen: 'phone' })
    const { page } = user
    const look = (selector: string, property: string) => styleOf(page, selector, property)
    await page.waitForSelector('.card')
    expect(await look('.card', 'borderRadius')).toBe('3px')
    expect(await look('.card', 'backgroundColor')).toBe('rgb(250, 245, 255)')
    expect(await look('.chooser .main', 'backgroundColor')).toBe('rgb(112, 26, 117)')
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await look('.summary', 'backgroundColor')).toBe('rgb(255, 255, 255)')
    await page.evaluate(`document.documentElement.className = 'dark'`)
    expect(await look('.summary', 'backgroundColor')).toBe('rgb(27, 36, 45)')
    // Two columns only where it has room for them, whatever the window has.
    await page.setViewportSize({ width: 1440, height: 900 })
    expect(await look('.content', 'gridTemplateColumns')).toMatch(/^330px /)
    await page.evaluate(`document.querySelector('main').style.width = '500px'`)
    expect(await look('.content', 'gridTemplateColumns')).toMatch(/^[\d.]+px$/)
  })

  test('is styled in browsers that cannot share style sheets, too', async () => {
    const { token, url } = await room.session()
    const before = `delete Document.prototype.adoptedStyleSheets; delete ShadowRoot.prototype.adoptedStyleSheets`
    for (const at of [portal.page(token, {}), url]) {
      const user = await room.teacher({ url: at, before })
      await user.page.waitForSelector('.card')
      const isStyled = async () => (await styleOf(user.page, '.card', 'borderRadius')) === '14px'
      await waitFor(isStyled, { what: `styles at ${new URL(at).origin}` })
    }
  })

  test('waits for its token, goes on with the next one, and stops when it is taken away', async () => {
    const { id } = await room.session()
    const [{ token: short }, { token }] = [await room.shortSession(id, SHORT_SECONDS), await room.freshSession(id)]
    // Set before the script of the element is there.
    const elements = '<songngan-upload service="__SERVICE__"></songngan-upload>'
    const user = await room.teacher({ url: portal.page('', { elements }), before: LISTEN })
    const { page } = user
    const give = (value: string) => page.evaluate(`document.querySelector('songngan-upload').token = '${value}'`)
    await user.says(page.locator('songngan-upload'), 'กำลังเปิดคำขอ…')
    await give(short)
    await page.waitForSelector('.card')
    await user.line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })
    await user.choose(VIDEO, room.film)
    await user.says(page.locator('.notice'), 'หน้านี้หมดเวลาใช้งานแล้ว')
    expect(await told(page, 'expired')).toHaveLength(1)
    await give(token)
    await user.says(user.card(VIDEO), /^\d+(\.\d)? [KM]B\/วินาที$/)
    expect(await page.locator('.notice').count()).toBe(0)
    expect(await page.content()).not.toContain(token)
    // Moved to another place it goes on; taken away it stops, and leaves what was sent to be gone on with.
    await page.evaluate(`document.body.append(document.querySelector('songngan-upload'))`)
    await user.says(user.card(VIDEO), /^\d+(\.\d)? [KM]B\/วินาที$/)
    expect(user.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
    await page.evaluate(`globalThis.away = document.querySelector('songngan-upload'); away.remove()`)
    await waitFor(async () => (await user.screenLocks()) === 0, { what: 'sending to stop' })
    await page.evaluate('document.body.append(away)')
    await user.says(user.card(VIDEO), /^(ส่งค้างไว้ ยังไม่ครบ|กำลังส่งจากหน้าอื่น)/)
    await give('no token')
    await user.says(page.locator('.notice'), 'เปิดหน้านี้จากระบบของท่าน')
  })
})
