// Traces for an OpenTelemetry collector, off unless OTEL_EXPORTER_OTLP_ENDPOINT is set: only then is the SDK loaded.

import type { Config } from './config.ts'
import type { Logger } from './logger.ts'
import { NO_TRACING, type Tracing } from './span.ts'

/** @param service `service.name` where OTEL_SERVICE_NAME does not say another */
export async function openTracing(
  settings: Config['tracing'],
  service: { name: string; instance: string },
  logger: Pick<Logger, 'warn'>,
): Promise<Tracing> {
  if (settings === undefined) return NO_TRACING
  const { startOtlpTracing } = await import('./tracing-otlp.ts')
  return startOtlpTracing(settings, service, logger)
}
