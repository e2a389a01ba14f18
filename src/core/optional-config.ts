// Configuration of outages, and of what is off unless it is configured: traces, and load tests by tools on other machines.

import type { Env } from './env-schema.ts'
import { namedValues } from './listed-values.ts'

/** Without `tracing` there are no traces; without `loadTest.secret` no load tests. */
export function optionalConfig(env: Env) {
  return {
    outages: { heartbeatMs: env.HEARTBEAT_SECONDS * 1000 },
    tracing:
      env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? undefined
        : {
            endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
            headers: namedValues(env.OTEL_EXPORTER_OTLP_HEADERS) ?? {},
            serviceName: env.OTEL_SERVICE_NAME,
            resource: namedValues(env.OTEL_RESOURCE_ATTRIBUTES) ?? {},
            sampler: env.OTEL_TRACES_SAMPLER,
            ratio: env.OTEL_TRACES_SAMPLER_ARG,
          },
    loadTest: {
      secret: env.LOAD_TEST_SECRET,
      limits: {
        clients: env.LOAD_TEST_MAX_CLIENTS,
        minutes: env.LOAD_TEST_MAX_MINUTES,
        clientsPerSecond: env.LOAD_TEST_MAX_CLIENTS_PER_SECOND,
        mbit: env.LOAD_TEST_MAX_MBIT,
      },
    },
  }
}
