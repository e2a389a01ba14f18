// The logger (pino) with redacted secrets. Lines about an upload have `uploadId`, about a job `jobId`.

import { type DestinationStream, type Logger, pino } from 'pino'
import { logOutput } from './log-output.ts'

export type { Logger } from 'pino'

/** Paths of credentials in logged objects. */
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
