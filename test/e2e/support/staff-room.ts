// Where teachers sit down to hand in: an installation, a browser, submissions with their sessions, and files to send.

import { readFile, writeFile } from 'node:fs/promises'
import { Tokens } from '../../../src/auth/tokens.ts'
import { loadConfig } from '../../../src/core/config.ts'
import { startChromium } from '../../support/chromium.ts'
import { waitFor } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { pdf } from '../../support/media/pdfs.ts'
import { lesson } from '../../support/media/videos.ts'
import { startInstallation } from './installation.ts'
import { Teacher, type TeacherOptions } from './teacher.ts'

export const VIDEO = 'teaching_video'
/** The film takes a minute and a half: enough for a busy machine to open another browser in the middle of it. */
export const SLOW_BYTES_PER_SECOND = 250_000

/** As a share of the film, however often its line was cut: next to nothing comes twice. */
export const MOST_RECEIVED = 1.02

const HOUR_MS = 3_600_000
const PROFILE = 'teacher.K2@1'
/** Chromium holds slow bytes back and lets go of them when its line is cut: up to four megabytes were seen to get through. */
const FILM_BYTES = 24_000_000

export type StaffRoom = Awaited<ReturnType<typeof openStaffRoom>>

/** @param env of the installation, beside what every one needs */
export async function openStaffRoom({ env = {} }: { env?: Record<string, string> } = {}) {
  const corpus = await createCorpus()
  const [stack, browser, film, plan] = await Promise.all([
    startInstallation({ env }),
    startChromium(),
    largeFilm(corpus),
    pdf(corpus, 'แผนการสอน.pdf', { pages: 6 }),
  ])
  const tokens = new Tokens({ config: loadConfig(stack.service.env), clock: { now: () => Date.now() } })
  const teachers: Teacher[] = []
  let submissions = 0

  const receivedBytes = async (): Promise<number> => {
    const text = await (await fetch(`${stack.service.opsUrl}/metrics`)).text()
    return Number(/^\w*upload_bytes_received_total (\d+)$/m.exec(text)?.[1])
  }

  return {
    stack,
    corpus,
    film,
    plan,
    filmBytes: FILM_BYTES,
    receivedBytes,

    /** The film without its end, as an interrupted copy leaves it. */
    cutFilm: () =>
      corpus.file('cut.mp4', async (path) => {
        await writeFile(path, (await readFile(film)).subarray(0, FILM_BYTES * 0.6))
      }),

    /** A submission, and the page that its portal would open. */
    async session({ can = ['read', 'upload'], ...more }: { can?: string[]; metadata?: object } = {}) {
      const id = `2569-${String(++submissions).padStart(5, '0')}`
      const deadline = new Date(Date.now() + 55 * HOUR_MS).toISOString()
      await stack.portal.putSubmission(id, { profile: PROFILE, deadline, ...more })
      const answer = await stack.call('POST', `/v1/submissions/${id}/sessions`, { can })
      const bangkok = new Date(Date.parse(deadline) + 7 * HOUR_MS).toISOString()
      const { url, token } = JSON.parse(answer.text) as { url: string; token: string }
      return { id, url, token, closesAt: bangkok.slice(11, 16) }
    },

    /** The page of a submission for seconds only, which is less than a portal may ask for. */
    async shortSession(submission: string, seconds: number) {
      const expMs = Date.now() + seconds * 1000
      const claims = {
        owner: 'school',
        submission,
        can: ['read', 'upload'] as const,
        subject: null,
        expMs,
        revocations: 0,
      }
      const { token } = await tokens.signSession(claims)
      return { url: `${stack.service.url}/portal#token=${token}`, token }
    },

    /** The token of another session, as a portal gets it. */
    async freshSession(submission: string): Promise<{ token: string }> {
      return JSON.parse((await stack.call('POST', `/v1/submissions/${submission}/sessions`, {})).text)
    },

    async teacher(options: TeacherOptions): Promise<Teacher> {
      const opened = await Teacher.open(browser, options)
      teachers.push(opened)
      return opened
    },

    /** Sends them home; what was wrong with their pages. */
    async leave(): Promise<string[]> {
      const left = teachers.splice(0)
      await Promise.all(left.map((teacher) => teacher.close()))
      return left.flatMap(({ pageErrors }) => pageErrors)
    },

    /** Waits until the service has received this share of the film. */
    share: (of: number, before: number) =>
      waitFor(async () => (await receivedBytes()) - before > FILM_BYTES * of, {
        what: `${of * 100} % of the film to be there`,
      }),

    async close(): Promise<void> {
      await browser.close()
      await stack.close()
      await corpus.remove()
    },
  }
}

/** A lesson with a box of nothing at its end: as long to send as a machine takes to open a second browser. */
function largeFilm(corpus: Corpus): Promise<string> {
  return corpus.file('การสอน คณิตศาสตร์ ป.4.mp4', async (path) => {
    const bytes = await readFile(await lesson(corpus))
    const box = Buffer.alloc(FILM_BYTES - bytes.length)
    box.writeUInt32BE(box.length, 0)
    box.write('free', 4, 'latin1')
    await writeFile(path, Buffer.concat([bytes, box]))
  })
}
