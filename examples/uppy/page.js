// Sends one file for one slot with Uppy 5. Its plug-in @uppy/tus is tus-js-client within, and needs the same options.

import Uppy from '@uppy/core'
import Tus from '@uppy/tus'
import { fingerprintOf, messageOf } from '../own-page/file.js'

const SLOT = 'lesson_plan'
/** A restart of the service, minutes without a line: after progress the count begins again. */
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000, 60_000, 60_000]
const TEXTS = { 'upload.stored': 'ส่งครบแล้ว กำลังตรวจไฟล์', 'upload.accepted': 'ไฟล์ใช้ได้' }
const say = (text) => document.querySelector('output').replaceChildren(text)

const { service, submissionId, token } = await (await fetch('/session', { method: 'POST' })).json()
const { Songngan } = await import(`${service}/client/0.1/client.js`)
const songngan = new Songngan({ url: service, token })
let ticket

const uppy = new Uppy().use(Tus, {
  endpoint: `${service}/files`,
  storeFingerprintForResuming: false, // the list below knows more than this browser
  retryDelays: RETRY_DELAYS_MS,
  onShouldRetry(error, _attempt, _options, byDefault) {
    return error.causingError?.isPassing !== false && byDefault(error) // false: no ticket any more
  },
  onAfterResponse(request, response) {
    // It takes a 5xx to HEAD for "gone", and begins again. What is thrown here counts as a lost connection.
    if (request.getMethod() === 'HEAD' && response.getStatus() >= 500) throw new Error('HEAD: try again')
  },
  async onBeforeRequest(request) {
    // Only a creation needs a ticket that is valid: what was begun goes on with an old one.
    if (request.getMethod() === 'POST' || ticket === undefined)
      ticket = (await songngan.tickets.create(submissionId, { slot: SLOT })).ticket
    request.setHeader('Authorization', `Bearer ${ticket}`)
  },
})
uppy.on('progress', (percent) => Object.assign(document.querySelector('progress'), { max: 100, value: percent }))
uppy.on('upload-error', (_file, error) => say(messageOf(error)))

async function send(file) {
  const own = await fingerprintOf(file)
  uppy.clear()
  const id = uppy.addFile({ name: file.name, type: file.type, data: file, meta: { fingerprint: own } })
  // What was begun before a reload, in another browser or on another device is gone on with.
  const { items } = await songngan.uploads.list(submissionId, { slot: SLOT, state: 'receiving' })
  uppy.setFileState(id, { tus: { uploadUrl: items.find(({ fingerprint }) => fingerprint === own)?.url } })
  await uppy.upload()
}

const input = document.querySelector('input')
input.addEventListener('change', () => {
  send(input.files[0]).catch((error) => say(messageOf(error)))
})
input.disabled = false // the page has begun
for await (const { type, data } of songngan.events(submissionId)) {
  if (type in TEXTS) say(TEXTS[type])
  if (type === 'upload.rejected') say(data.problems.map(({ message }) => message.th).join(' '))
}
