// Configuration of outages, and of what is off unless it is configured: traces, and load tests by tools on other machines.

import type { Env } from './env-schema.ts'
import { isVaried, list, namedValues, splitKey } from './listed-values.ts'

/** Without `tracing` there are no traces; without `loadTest.secret` no load tests. */
export function optionalConfig(env: Env) {
  return {
    outages: {
      heartbeatMs: env.HEARTBEAT_SECONDS * 1000,
      probeKeys: list(env.PROBE_KEYS).map((entry) => {
        const [name, secret] = splitKey(entry)
        return { name, secret }
      }),
    },
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

export function wrongProbeKeys({ PROBE_KEYS, API_KEYS }: Pick<Env, 'PROBE_KEYS' | 'API_KEYS'>): string[] {
  const secrets = list(API_KEYS).map((entry) => splitKey(entry)[1])
  return list(PROBE_KEYS).every((key) => isProbeKey(key) && !secrets.includes(splitKey(key)[1]))
    ? []
    : ['PROBE_KEYS must be name:secret, with secrets of their own of at least 16 characters that are not easy to guess']
}

export function isProbeKey(key: string): boolean {
  const [name, secret] = splitKey(key)
  return /^[A-Za-z0-9_-]{1,32}$/.test(name) && secret.length >= 16 && isVaried(secret)
}
