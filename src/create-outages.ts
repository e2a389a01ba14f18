// What is known of outages: the ledger in the store, what this process remembers of it, what it sees now, and who may add to it.

import type { CredentialGuard } from './audit/credential-guard.ts'
import { ProbeAuth } from './auth/probe-auth.ts'
import type { Config } from './core/config.ts'
import type { Logger } from './core/logger.ts'
import { KnownOutages } from './evidence/outages/known-outages.ts'
import { OutageLedger } from './evidence/outages/outage-ledger.ts'
import type { ObjectStore } from './storage/object-store.ts'

type OutageDeps = {
  config: Pick<Config, 'outages'>
  store: ObjectStore
  credentialGuard: CredentialGuard
  logger: Logger
}

export function createOutages({ config, store, credentialGuard, logger }: OutageDeps) {
  const outages = new OutageLedger({ store })
  const probeAuth = new ProbeAuth({ keys: config.outages.probeKeys, credentialGuard })
  return { outages, knownOutages: new KnownOutages({ ledger: outages, logger }), probeAuth }
}
