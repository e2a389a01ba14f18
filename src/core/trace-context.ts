// W3C Trace Context: where in which trace something happens, as a text that travels in headers, tickets, records and jobs.

/** version-traceid-parentid-flags; neither id is all zeros; fields of later versions may follow. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const LENGTH = 55
const SAMPLED = 1

export type TraceContext = { traceId: string; spanId: string; sampled: boolean }

/** "If parsing fails, the vendor creates a new trace": undefined for anything that is no traceparent. */
export function parseTraceparent(value: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] = typeof value === 'string' ? (TRACEPARENT.exec(value) ?? []) : []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  // Only later versions may have more.
  if (String(value).startsWith('00') && String(value).length !== LENGTH) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 }
}

/** In the form of version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** What somebody else sent, in our form; undefined: none, or not valid. */
export function readTraceparent(value: unknown): string | undefined {
  const context = parseTraceparent(value)
  return context === undefined ? undefined : formatTraceparent(context)
}

/** The member of what is stored or sent; none where there is no trace. */
export function traceIn(trace: string | undefined): { trace?: string } {
  return trace === undefined ? {} : { trace }
}
