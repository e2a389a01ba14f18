// The one class of errors: a refusal of the service, an answer that is not its own, no answer, or a webhook that is not genuine.

/** A problem document (RFC 9457) of the service. Some codes have more members: `limit`, `actual`, `occupants` … */
export type Problem = {
  type: string
  title: string
  status: number
  code: string
  message: { th: string; en: string }
  [member: string]: unknown
}

type Texts = { th: string; en: string }

type Details = {
  code: string
  texts: Texts
  status?: number
  problem?: Problem
  retryAfterMs?: number | undefined
  cause?: unknown
}

const NO_ANSWER: Texts = {
  th: 'ติดต่อระบบไม่ได้ โปรดตรวจสอบการเชื่อมต่อ แล้วลองใหม่',
  en: 'The service could not be reached; check the connection and try again.',
}
const FOREIGN: Texts = {
  th: 'ระบบไม่พร้อมชั่วคราว โปรดลองใหม่ภายหลัง',
  en: 'The answer did not come from the service; try again later.',
}

export class SongnganError extends Error {
  override readonly name = 'SongnganError'
  /**
   * Stable: decide by it. A code of the service (`SLOT_FULL` …); `HTTP_502` and the like for an answer that is not the service's own;
   * `NO_ANSWER`; or `WEBHOOK_…` of `verifyWebhook`.
   */
  readonly code: string
  /** The HTTP status; 0: there was no answer. */
  readonly status: number
  /** For people, in both languages. */
  readonly texts: Texts
  /** The body of a refusal, with the details of its code. */
  readonly problem: Problem | undefined
  /** How long the service asks to wait, by its `Retry-After`. */
  readonly retryAfterMs: number | undefined

  constructor({ code, texts, status = 0, problem, retryAfterMs, cause }: Details) {
    super(`${code}: ${texts.en}`, { cause })
    this.code = code
    this.status = status
    this.texts = texts
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }

  /** Whether the same may work later: nobody answered, the service is not ready, or something else answered in its place. */
  get isPassing(): boolean {
    const { status, code, problem } = this
    if (status === 0) return code === 'NO_ANSWER'
    // 2xx, 3xx, 429 without a problem document: the login page of a network, the brake of a proxy.
    return [502, 503, 504].includes(status) || (problem === undefined && (status < 400 || status === 429))
  }
}

export function noAnswer(cause: unknown): SongnganError {
  return new SongnganError({ code: 'NO_ANSWER', texts: NO_ANSWER, cause })
}

/** The error in an answer that is not what was asked for. */
export async function errorIn(response: Response): Promise<SongnganError> {
  const { status } = response
  const retryAfterMs = retryAfterIn(response.headers)
  const problem = problemIn(await response.text().catch(() => ''))
  if (problem === undefined) return new SongnganError({ code: `HTTP_${status}`, texts: FOREIGN, status, retryAfterMs })
  return new SongnganError({ code: problem.code, texts: problem.message, status, problem, retryAfterMs })
}

function problemIn(text: string): Problem | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Problem> | null
    const isOurs = typeof parsed?.code === 'string' && typeof parsed.message?.en === 'string'
    return isOurs ? (parsed as Problem) : undefined
  } catch {
    return undefined // the page of a proxy
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterIn(headers: Headers): number | undefined {
  const text = headers.get('retry-after') ?? ''
  if (text === '') return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
