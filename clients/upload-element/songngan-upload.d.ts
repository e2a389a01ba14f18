/** The submission document of `GET /v1/submissions/:id?expand=uploads`. */
export type SubmissionDocument = {
  id: string
  state: string
  complete: boolean
  missing: string[]
  pending: string[]
  sequence: number
  [field: string]: unknown
}

/** A rule that a file breaks, with its text. */
export type Problem = { code: string; severity: 'reject' | 'warn' | 'advise'; message: { th: string; en: string } }

/** A file that is sent from this page. */
export type SentFile = {
  slot: string
  /** Null: it is not created yet. */
  uploadId: string | null
  filename: string
  /** `preparing`, `queued`, `sending`, `waiting`, `offline`, `paused`, `blocked`, `different`, `taken`, `unreadable`, `refused`, `stored` */
  phase: string
  bytes: number
  sentBytes: number
  bytesPerSecond: number | null
  secondsLeft: number | null
}

export type SongnganUploadEvents = {
  /** The submission document is there, or changed. */
  'songngan-submission': { submission: SubmissionDocument }
  /** `percent` of all files that are being sent; null: none is. */
  'songngan-progress': { percent: number | null; sentBytes: number; totalBytes: number; files: SentFile[] }
  /** All bytes of a file are stored. */
  'songngan-stored': { slot: string; uploadId: string; filename: string }
  'songngan-verdict': {
    slot: string
    uploadId: string
    filename: string | null
    verdict: 'accepted' | 'rejected'
    problems: Problem[]
  }
  /** A file was not sent: by the checks of the page (`problems`), or the service refused it (`message`). */
  'songngan-refused': {
    slot: string
    filename: string
    problems: { name: string }[]
    message: { th: string; en: string } | null
  }
  /** The session has ended: set the token of another one. */
  'songngan-expired': Record<string, never>
}

export class SongnganUpload extends HTMLElement {
  /** Address of the service. Attribute `service`. */
  service: string
  /** Token of a session. Null: one is still to come. Attribute `token`; as a property it does not stand in the page's HTML. */
  token: string | null
  /** The only slot that is shown. Null: the whole submission. Attribute `slot-id`. */
  slotId: string | null
  addEventListener<Name extends keyof SongnganUploadEvents>(
    name: Name,
    listener: (event: CustomEvent<SongnganUploadEvents[Name]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void
  addEventListener(
    name: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void
}

declare global {
  interface HTMLElementTagNameMap {
    'songngan-upload': SongnganUpload
  }
}
