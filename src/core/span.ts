// Spans: what happened where in which trace. A span's parent is always named: nothing follows the running code by itself,
// which would cost on every await.

import { AppError } from './errors.ts'

/** Names as in OpenTelemetry's semantic conventions, or `songngan.…`. No personal data, no secrets: a collector keeps them. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

export type SpanStart = {
  kind: 'server' | 'client' | 'consumer' | 'internal'
  /** A traceparent; undefined: a trace of its own. */
  parent: string | undefined
  /** A traceparent of another span that belongs to it. */
  link?: string | undefined
  /** Unix milliseconds by this machine's clock; absent: now. */
  startMs?: number
  attributes?: Attributes
}

export type Span = {
  /** Parent of what follows; undefined: tracing is off. */
  readonly traceparent: string | undefined
  set(attributes: Attributes): void
  /** @param errorType what failed, in few different words (a code, the name of a class): never a message */
  end(errorType?: string): void
}

export type Tracing = {
  readonly on: boolean
  start(name: string, span: SpanStart): Span
  /** Sends what was not sent yet, for a limited time. */
  close(): Promise<void>
}

const NO_SPAN: Span = { traceparent: undefined, set: () => undefined, end: () => undefined }

export const NO_TRACING: Tracing = { on: false, start: () => NO_SPAN, close: async () => undefined }

/**
 * Runs `work` within a span, which ends with it.
 *
 * @param failureOf what failed where a result is no success; see {@link Span.end}
 */
export async function traced<T>(
  span: Span,
  work: () => Promise<T>,
  failureOf: (result: T) => string | undefined = () => undefined,
): Promise<T> {
  try {
    const result = await work()
    span.end(failureOf(result))
    return result
  } catch (error) {
    span.end(errorType(error))
    throw error
  }
}

/** `error.type`: a code or the name of a class. Messages may have names of people and files in them. */
export function errorType(error: unknown): string {
  if (error instanceof AppError) return error.code
  if (!(error instanceof Error)) return '_OTHER'
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : error.name
}
