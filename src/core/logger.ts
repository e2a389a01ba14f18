// The logger (pino) with redacted secrets. Lines about an upload have `uploadId`, about a job `jobId`.

import { type DestinationStream, type Logger, pino } from 'pino'
import { logOutput } from './log-output.ts'

export type { Logger } from 'pino'

/** Paths of credentials in logged objects. For `?access_token=` see `safeUrl`. */
const REDACT = [
  'req.headers.authorization',
  'req.headers.cookie',
  'headers.authorization',
  'authorization',
  'ticket',
  'token',
  '*.ticket',
  '*.token',
  '*.secret',
]

export function createLogger(
  options: { name: string; level: string },
  destination: DestinationStream = logOutput(),
): Logger {
  const settings = {
    name: options.name,
    level: options.level,
    redact: { paths: REDACT, censor: '[redacted]' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: pino.stdSerializers.err },
  }
  return pino(settings, destination)
}

/** The path of a URL without credentials: query tokens, and the token of a media link. */
export function safeUrl(url: string): string {
  return url.replace(/([?&]access_token=)[^&]*/g, '$1[redacted]').replace(/^(\/media\/)[^/?]+/, '$1[redacted]')
}
