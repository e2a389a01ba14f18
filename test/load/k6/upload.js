// A load test for k6 (https://k6.io), plain `k6 run`: a portal creates a submission and a ticket, a client sends a PDF over
// tus in two parts with a lost connection between them, and the verdict must be `accepted`. See docs/runbook.md.
//
//   URL=https://stage.example k6 run test/load/k6/upload.js
//
// Its environment: API_KEY and, on another machine, LOAD_TEST_SECRET (not with -e: command lines are seen by others), and
// URL              default http://127.0.0.1:8080
// CLIENTS_PER_MINUTE, MINUTES, MIB      arrivals, duration, size of each file [30, 1, 1]; limits of the service are kept
// A certificate of your own authority: SSL_CERT_FILE=ca.pem in the environment of k6.

import { check, fail, sleep } from 'k6'
import { hmac, randomBytes, sha256 } from 'k6/crypto'
import encoding from 'k6/encoding'
import exec from 'k6/execution'
import http from 'k6/http'
import { Counter, Trend } from 'k6/metrics'

const URL_BASE = (__ENV.URL || 'http://127.0.0.1:8080').replace(/\/+$/, '')
const CLIENTS_PER_MINUTE = Number(__ENV.CLIENTS_PER_MINUTE || 30)
const MINUTES = Number(__ENV.MINUTES || 1)
const FILE_BYTES = Math.round(Number(__ENV.MIB || 1) * 1024 * 1024)
/** k6 lets clients that have begun finish for so long. */
const GRACEFUL_MINUTES = 2
const VERDICT_SECONDS = 60
const CONSENT_PATH = '/v1/load-test'
const PROFILE = 'teacher.K4'
const SLOT = 'lesson_plan'

const verdictMs = new Trend('verdict', true)
const lost = new Counter('lost')
const notRemoved = new Counter('not_removed')

export const options = {
  scenarios: {
    // Open load: arrivals do not wait for a slow service.
    clients: {
      executor: 'constant-arrival-rate',
      rate: CLIENTS_PER_MINUTE,
      timeUnit: '1m',
      duration: `${Math.round(MINUTES * 60)}s`,
      preAllocatedVUs: Math.min(200, Math.ceil(CLIENTS_PER_MINUTE / 4) + 2),
      maxVUs: 2000,
      gracefulStop: `${GRACEFUL_MINUTES}m`,
    },
  },
  // Sent to a service that has consented, and to no other.
  maxRedirects: 0,
  thresholds: {
    checks: ['rate==1'],
    lost: ['count==0'],
    not_removed: ['count==0'],
    dropped_iterations: ['count==0'],
    verdict: ['p(95)<10000'],
    'http_req_duration{step:create}': ['p(95)<500'],
    'http_req_duration{step:head}': ['p(99)<1000'],
  },
}

/** Ends the test unless the service is on this machine, or consents. */
export function setup() {
  const [, protocol, authority] =
    /^(https?):\/\/([^/]+)$/.exec(URL_BASE) || fail(`URL must be an origin, not ${URL_BASE}`)
  if (!__ENV.API_KEY) fail('set API_KEY')
  const run = encoding.b64encode(randomBytes(6), 'rawurl')
  if (/^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(authority)) return { run }
  const secret = __ENV.LOAD_TEST_SECRET || fail(`${URL_BASE} is not this machine: set LOAD_TEST_SECRET`)
  const origin = `${protocol}://${authority.toLowerCase().replace(protocol === 'https' ? /:443$/ : /:80$/, '')}`
  const nonce = encoding.b64encode(randomBytes(32), 'rawurl')
  const mac = (...words) =>
    hmac('sha256', secret, ['songngan load test, version 1', ...words].join('\n'), 'base64rawurl')
  const answer = http.get(`${URL_BASE}${CONSENT_PATH}`, {
    headers: { Authorization: `Songngan-Load-Test ${nonce}.${mac('tool', nonce, CONSENT_PATH)}` },
  })
  if (answer.status !== 200) fail(`${URL_BASE} does not consent to load tests (${answer.status || answer.error})`)
  const { limits, proof } = answer.json()
  const words = [limits.clients, limits.minutes, limits.clientsPerSecond, limits.mbit].join(' ')
  if (proof !== mac('service', nonce, origin, words)) fail(`${URL_BASE} does not consent to load tests: wrong proof`)
  const wanted = {
    clients: Math.ceil(CLIENTS_PER_MINUTE * MINUTES),
    minutes: MINUTES + GRACEFUL_MINUTES,
    clientsPerSecond: Math.ceil(CLIENTS_PER_MINUTE / 60),
    mbit: (CLIENTS_PER_MINUTE / 60) * FILE_BYTES * 8e-6,
  }
  for (const name of Object.keys(wanted))
    if (wanted[name] > limits[name]) fail(`${URL_BASE} allows less: ${name} ${wanted[name]}, limit ${limits[name]}`)
  return { run }
}

export default function client({ run }) {
  const number = exec.scenario.iterationInTest
  const submission = `k6-${run}-${number}`
  try {
    handIn(submission, `${run} ${number}`)
  } finally {
    const gone = portal('DELETE', `/v1/submissions/${submission}`)
    if (![204, 404, 410].includes(gone.status)) {
      notRemoved.add(1)
      console.error(`not removed: ${submission} (${gone.status})`)
    }
  }
}

function handIn(submission, mark) {
  const deadline = new Date(Date.now() + 3600e3).toISOString()
  const put = portal('PUT', `/v1/submissions/${submission}`, { profile: PROFILE, deadline, graceSeconds: 3600 })
  const given = portal('POST', `/v1/submissions/${submission}/tickets`, { slot: SLOT })
  if (!check(given, { 'submission and ticket': () => put.status < 300 && given.status === 201 })) return
  const { ticket, tusEndpoint } = given.json()
  if (!tusEndpoint.startsWith(`${URL_BASE}/`)) fail(`uploads would go to ${tusEndpoint}`)

  const pdf = pdfOf(mark, FILE_BYTES)
  const headers = { Authorization: `Bearer ${ticket}`, 'Tus-Resumable': '1.0.0' }
  const metadata = `filename ${encoding.b64encode('แผน.pdf')},filetype ${encoding.b64encode('application/pdf')}`
  const created = http.post(tusEndpoint, null, {
    headers: { ...headers, 'Upload-Length': String(pdf.length), 'Upload-Metadata': metadata },
    tags: { step: 'create' },
  })
  if (!check(created, { created: ({ status }) => status === 201 })) return
  const url = created.headers.Location.startsWith('/') ? URL_BASE + created.headers.Location : created.headers.Location

  const half = pdf.length >> 1
  patch(url, headers, 0, pdf.slice(0, half))
  // As after a lost connection: the client asks where to go on.
  const head = http.head(url, { headers, tags: { step: 'head', name: 'HEAD upload' } })
  const offset = Number(head.headers['Upload-Offset'])
  if (!check(head, { 'offset is what was stored': () => head.status === 200 && offset === half })) lost.add(1)
  const last = patch(url, headers, offset, pdf.slice(offset))
  if (!check(last, { 'every byte stored': ({ status }) => status === 204 })) return
  awaitVerdict(url.split('/').pop(), sha256(pdf, 'hex'))
}

function awaitVerdict(id, expectedSha256) {
  const storedMs = Date.now()
  let upload = {}
  while (!['accepted', 'ready', 'rejected'].includes(upload.state) && Date.now() - storedMs < VERDICT_SECONDS * 1000) {
    sleep(0.25)
    const answer = portal('GET', `/v1/uploads/${id}`)
    if (answer.status === 200) upload = answer.json()
  }
  verdictMs.add(Date.now() - storedMs)
  check(upload, { accepted: ({ state }) => state === 'accepted' || state === 'ready' })
  // The hash comes after the verdict, when the whole file was read.
  for (let i = 0; i < 40 && !upload.sha256; i++) {
    sleep(0.5)
    const answer = portal('GET', `/v1/uploads/${id}`)
    if (answer.status === 200) upload = answer.json()
  }
  if (!check(upload, { 'SHA-256 is that of the file': (one) => one.sha256 === expectedSha256 })) lost.add(1)
}

function patch(url, headers, offset, body) {
  return http.patch(url, body.buffer.slice(body.byteOffset, body.byteOffset + body.length), {
    headers: { ...headers, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) },
    tags: { step: 'patch', name: 'PATCH upload' },
  })
}

function portal(method, path, body) {
  const json = body === undefined ? {} : { 'Content-Type': 'application/json' }
  return http.request(method, URL_BASE + path, body === undefined ? null : JSON.stringify(body), {
    headers: { Authorization: `Bearer ${__ENV.API_KEY}`, ...json },
    tags: { step: 'portal', name: `${method} ${path.replace(/\/[^/]*k6-[^/]*|\/[a-z2-7]{40}/, '/:id')}` },
  })
}

/** A PDF of one page and about `bytes` bytes: a stream that no page uses, with `mark`, makes up the length. */
function pdfOf(mark, bytes) {
  const filled = Math.max(64, bytes - 700)
  const objects = [
    `<< /Length ${filled} >>\nstream\n${mark.padEnd(filled, ' ')}\nendstream`,
    '<< /Type /Catalog /Pages 3 0 R >>',
    '<< /Type /Pages /Kids [4 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 3 0 R /MediaBox [0 0 595 842] /Resources << >> /Contents 5 0 R >>',
    '<< /Length 33 >>\nstream\n0.2 0.5 0.4 rg 60 60 300 9 re f  \nendstream',
  ]
  let text = '%PDF-1.7\n'
  const offsets = objects.map((object, i) => {
    const at = text.length
    text += `${i + 1} 0 obj\n${object}\nendobj\n`
    return `${String(at).padStart(10, '0')} 00000 n \n`
  })
  const xref = text.length
  text += `xref\n0 6\n0000000000 65535 f \n${offsets.join('')}trailer\n<< /Size 6 /Root 2 0 R >>\nstartxref\n${xref}\n%%EOF\n`
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i)
  return out
}
