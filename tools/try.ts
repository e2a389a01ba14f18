// `npm run try`: hands in two files to a running service as a portal and a browser would, and shows what happens.
// Exit code 0 only when each file is ready, `missing` names the empty slots, and every webhook was signed.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCa } from './lib/certificates.ts'
import { consentOf } from './lib/consent.ts'
import { removeSubmissions } from './lib/remove.ts'
import { readSettings, type Settings } from './lib/settings.ts'
import { runTool } from './lib/usage.ts'
import { bytesInWords, timeInWords } from './lib/words.ts'
import { parseTryArgs, type TryArgs, USAGE } from './try/args.ts'
import { makeFiles, ownFile } from './try/files.ts'
import { openTrial } from './try/open.ts'
import { Page } from './try/page.ts'
import { showLinks, showResult } from './try/result.ts'
import { sendFile } from './try/send.ts'
import { checkWebhooks, waitUntilFinal } from './try/settle.ts'
import type { Trial } from './try/trial.ts'

/** @param isStage the service is on another machine, and has consented */
async function tryService(args: TryArgs, settings: Settings, isStage: boolean, page: Page): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-try-'))
  const stop = new AbortController()
  let trial: Trial | undefined
  try {
    page.line(`Songngan at ${settings.base.origin}`)
    page.step('Files')
    const files = args.file === undefined ? await makeFiles(dir) : [await ownFile(args.file.path, args.file.slot)]
    for (const { name, about, source } of files) page.ok(`${name}: ${about}, ${bytesInWords(source.bytes)}`)
    page.step('Portal')
    trial = await openTrial({ settings, isStage, profile: args.profile, page }, stop.signal)
    page.step('Uploads')
    const ids: string[] = []
    for (const file of files) {
      const id = await sendFile(trial, file)
      if (id !== undefined) ids.push(id)
    }
    if (ids.length === 0) return
    page.step('Checks and renditions')
    const uploads = await waitUntilFinal(trial, ids, args.waitMs)
    if (!isStage) {
      page.step('Webhooks')
      await checkWebhooks(trial, ids)
    }
    page.step('Documents')
    await showResult(trial, uploads, args.json)
    page.step('Links')
    await showLinks(trial, uploads)
  } finally {
    stop.abort()
    await trial?.webhooks?.close()
    if (isStage && !args.keep && trial !== undefined) await removeTrial(trial)
    await rm(dir, { recursive: true, force: true })
  }
}

async function removeTrial({ page, portal, submissionId }: Trial): Promise<void> {
  page.step('Clean-up')
  const { left, errors } = await removeSubmissions(portal, [submissionId])
  page.check(left.length === 0, `submission ${submissionId} deleted`, errors.join(', '))
}

await runTool(USAGE, async () => {
  const startedMs = performance.now()
  const args = parseTryArgs(process.argv.slice(2))
  const page = new Page(process.stdout)
  checkCa(args.ca, process.env)
  const settings = readSettings(process.env, args.url)
  const stage = await consentOf(settings.base, process.env)
  await tryService(args, settings, stage !== undefined, page)
  const took = timeInWords(performance.now() - startedMs)
  page.line()
  const { failures } = page
  page.line(failures === 0 ? `Everything worked, in ${took}.` : `${failures} checks failed (✗), in ${took}.`)
  return failures === 0 ? 0 : 1
})
