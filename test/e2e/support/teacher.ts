// A teacher at the page of a session: a browser of its own, on a line as good or bad as the test says.

import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContext, CDPSession, Locator, Page } from 'playwright-core'
import { PATIENCE_MS } from '../../support/http.ts'

/** A folder for pictures of the page, for people; unset: none are taken. */
const SHOTS = process.env['PORTAL_SHOTS']
const AXE = join(import.meta.dirname, '../../../node_modules/axe-core/axe.min.js')

export type TeacherOptions = {
  /** The page that the session opens. */
  url: string
  locale?: 'th-TH' | 'en-GB'
  screen?: keyof typeof SCREENS
  /** A script that runs in the page before all others. */
  before?: string
}

const RUN_AXE = `axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'],
  resultTypes: ['violations'],
})`

/** What reaches over the right edge of the window, or over its own where the rest is hidden. */
const CUT_OFF = `[...document.querySelectorAll('songngan-upload')]
  .flatMap(({ shadowRoot }) => [...shadowRoot.querySelectorAll(':not(.unseen, svg *)')])
  .filter((one) => one.checkVisibility() && one.closest('.dotted') === null)
  .filter(
    (one) =>
      one.getBoundingClientRect().right > innerWidth ||
      (getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth),
  )
  .map(({ tagName, className, textContent }) => 'cut off: ' + [tagName, className, textContent].join(' '))`

/** In CSS pixels. */
const SCREENS = {
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 900 } },
  wide: { viewport: { width: 1440, height: 900 } },
} as const

/** A headless browser has no screen to keep on: what the page asks for is counted instead. */
const COUNT_SCREEN_LOCKS = `
  globalThis.screenLocks = 0
  navigator.wakeLock.request = async () => {
    globalThis.screenLocks += 1
    return { release: async () => void (globalThis.screenLocks -= 1) }
  }
`

export class Teacher {
  readonly page: Page
  /** What the browser asked the tus endpoint, in order. */
  readonly requests: { method: string; offset: number | null }[] = []
  /** Errors of the page: exceptions, and what its own policy forbade. */
  readonly pageErrors: string[] = []
  /** Times that it asked whether one really wants to leave. */
  warnings = 0
  readonly #context: BrowserContext
  readonly #network: CDPSession

  private constructor(context: BrowserContext, page: Page, network: CDPSession) {
    this.page = page
    this.#context = context
    this.#network = network
    page.on('pageerror', (error) => this.pageErrors.push(error.message))
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedScript|Trusted Type/.test(message.text()))
        this.pageErrors.push(message.text())
    })
    page.on('request', (request) => {
      if (!new URL(request.url()).pathname.startsWith('/files')) return
      const offset = request.headers()['upload-offset']
      this.requests.push({ method: request.method(), offset: offset === undefined ? null : Number(offset) })
    })
    page.on('dialog', (dialog) => {
      if (dialog.type() === 'beforeunload') this.warnings += 1
      void dialog.accept()
    })
  }

  static async open(browser: Browser, options: TeacherOptions): Promise<Teacher> {
    const { url, locale = 'th-TH', screen = 'desktop', before = '' } = options
    // Far from Thailand: a time of the machine's own would be seen.
    const context = await browser.newContext({ ...SCREENS[screen], locale, timezoneId: 'America/New_York' })
    await context.addInitScript(COUNT_SCREEN_LOCKS + before)
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    const network = await context.newCDPSession(page)
    await network.send('Network.enable')
    const teacher = new Teacher(context, page, network)
    await page.goto(url)
    return teacher
  }

  /** The line from now on; -1 is as fast as it goes. */
  async line({ bytesPerSecond = -1, offline = false }): Promise<void> {
    await this.#network.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: bytesPerSecond,
    })
  }

  card(slot: string): Locator {
    return this.page.locator(`#slot-${slot}`)
  }

  /** Chooses a file with the first button of a card that opens the file dialogue. */
  async choose(slot: string, path: string): Promise<void> {
    await this.card(slot).locator('input[type=file]').first().setInputFiles(path)
  }

  async says(where: Locator, text: string | RegExp): Promise<void> {
    await where.getByText(text).first().waitFor()
  }

  /** The state that a card shows beside its title. */
  async state(slot: string): Promise<string> {
    return (await this.card(slot).locator('.state').textContent()) ?? ''
  }

  /** How many locks the page holds to keep the screen on. */
  async screenLocks(): Promise<number> {
    return Number(await this.page.evaluate('screenLocks'))
  }

  /** What axe-core finds serious or critical by WCAG 2.1, levels A and AA. */
  async barriers(): Promise<string[]> {
    if (await this.page.evaluate('globalThis.axe === undefined')) await this.page.evaluate(await readFile(AXE, 'utf8'))
    const { violations } = (await this.page.evaluate(RUN_AXE)) as AxeResults
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  }

  /**
   * The elements of the page at 360 and at 1440 pixels, in both languages, each with a picture: barriers, and what is cut off. Ends
   * in Thai, at the width of before.
   */
  async looks(name: string): Promise<string[]> {
    const found: string[] = []
    const before = this.page.viewportSize() ?? SCREENS.desktop.viewport
    for (const { viewport } of [SCREENS.phone, SCREENS.wide]) {
      await this.page.setViewportSize(viewport)
      for (const lang of ['en', 'th']) {
        await this.page.evaluate(
          `for (const element of document.querySelectorAll('songngan-upload')) element.lang = '${lang}'`,
        )
        const wrong = [...(await this.barriers()), ...((await this.page.evaluate(CUT_OFF)) as string[])]
        found.push(...wrong.map((one) => `${viewport.width} ${lang}: ${one}`))
        await this.shot(`${name}-${viewport.width}-${lang}`)
      }
    }
    await this.page.setViewportSize(before)
    return found
  }

  /** @param part only what is in the window */
  async shot(name: string, part: 'page' | 'window' = 'page'): Promise<void> {
    if (SHOTS === undefined) return
    await mkdir(SHOTS, { recursive: true })
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: part === 'page' })
  }

  /** Without a slow line: a browser that closes sends at full speed what it still can. */
  close(): Promise<void> {
    return this.#context.close()
  }
}
