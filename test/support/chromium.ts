// A headless Chromium of the system, for tests of pages; nothing is downloaded.

import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

function program(): string | undefined {
  const { CHROMIUM_PATH } = process.env
  return [CHROMIUM_PATH ?? '', ...PATHS].find((path) => path !== '' && existsSync(path))
}

/** Whether `startChromium` can work here; tests that need it say `describe.skipIf(!chromiumAvailable())`. */
export function chromiumAvailable(): boolean {
  return program() !== undefined
}

/** The caller closes it. Root has no user name space sandbox; and nothing is fetched that the test did not ask for. */
export function startChromium(): Promise<Browser> {
  const executablePath = program()
  if (executablePath === undefined) throw new Error('no Chromium here: ask chromiumAvailable() first')
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-domain-reliability',
      '--disable-sync',
      '--metrics-recording-only',
      '--no-first-run',
      '--no-pings',
      // names that are not this machine do not resolve, whatever a page or the browser itself asks for
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  })
}
