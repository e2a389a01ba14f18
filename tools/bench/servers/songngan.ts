// The service as in production, but with its own Redis, port and directory.

import { EnvSchema } from '../../../src/core/env-schema.ts'
import type { Command, Contender, Place, Store } from '../model.ts'
import { AGEING } from './age.ts'
import { serviceCommand } from './programs.ts'

export const API_KEY = 'bench-secret-of-the-bench'
/** Also signs upload ids: the bench seeds uploads whose ids the service accepts. */
export const TICKET_SECRET = 'a secret of the bench that is long enough to sign'

export type SongnganOptions = {
  name: string
  root: string
  store: Store
  tickets: boolean
  processes: number
  /** Of traces; absent: none are made. */
  collector?: string
}

export function songngan({ name, root, store, tickets, processes, collector = '' }: SongnganOptions): Contender {
  return {
    name,
    kind: 'songngan',
    store,
    tickets,
    durable: 'yes',
    command: (place) => command(place, root, { tickets, processes, store, collector }),
  }
}

function command(
  place: Place,
  root: string,
  { tickets, processes, store, collector }: Required<Omit<SongnganOptions, 'name' | 'root'>>,
): Command {
  // Variables of the caller's environment must not affect this installation: empty means not set.
  const blank = Object.fromEntries(Object.keys(EnvSchema.properties).map((name) => [name, '']))
  const s3 = place.s3 && {
    S3_BUCKET: place.s3.bucket,
    S3_ENDPOINT: place.s3.endpoint,
    S3_REGION: place.s3.region,
    ...place.s3.env,
  }
  const { args, env } = serviceCommand(root)
  return {
    program: process.execPath,
    args: [...AGEING, ...args],
    env: {
      ...env,
      ...blank,
      PORT: String(place.port),
      OPS_PORT: String(place.opsPort),
      REDIS_URL: place.redisUrl,
      STORAGE: store,
      ...s3,
      DATA_DIR: place.dir,
      API_KEYS: `bench:${API_KEY}`,
      TICKET_SECRET,
      AUTH: tickets ? 'ticket' : 'none',
      PROCESSES: String(processes),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      // One ticket is used by many clients: it is counted as usual, but its limit is never reached.
      CREATIONS_PER_MINUTE: '10000000',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
  }
}
