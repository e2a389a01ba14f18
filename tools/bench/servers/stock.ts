// The alternatives to Songngan: Fastify with @tus/server and its stores with defaults; and bare node:http,
// which shows the cost of the platform itself.

import { join } from 'node:path'
import type { Contender, Place, Store } from '../model.ts'
import { AGEING } from './age.ts'
import { nodeScript } from './programs.ts'

export function stock(store: Store): Contender {
  return {
    name: 'stock',
    kind: 'stock',
    store,
    tickets: false,
    durable: store === 's3' ? 'yes' : 'no',
    command: (place) => ({
      program: process.execPath,
      args: [...AGEING, ...nodeScript(join(import.meta.dirname, 'stock-main')), ...argumentsOf(place)],
      env: { ...place.s3?.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    }),
  }
}

function argumentsOf({ port, dir, s3 }: Place): string[] {
  return [String(port), dir, ...(s3 === undefined ? [] : [s3.endpoint, s3.bucket, s3.region])]
}

export function bare(): Contender {
  return {
    name: 'bare node:http',
    kind: 'bare',
    store: 'local',
    tickets: false,
    durable: 'no',
    command: ({ port, dir }) => ({
      program: process.execPath,
      args: [...AGEING, ...nodeScript(join(import.meta.dirname, 'bare-main')), String(port), dir],
      env: {},
    }),
  }
}
