// The servers to measure: from the command line, in the order of the tables.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { s3Available } from '../../test/support/s3.ts'
import type { Contender, Store } from './model.ts'
import { type Options, UsageError } from './options.ts'
import { given } from './servers/given.ts'
import { projectRoot } from './servers/programs.ts'
import { songngan } from './servers/songngan.ts'
import { bare, stock } from './servers/stock.ts'
import { OURS } from './words.ts'

/** @param collector of traces; undefined: nothing is measured with traces */
export function contendersOf(options: Options, collector: string | undefined): Contender[] {
  const stores = options.stores.filter((store) => store === 'local' || s3Available())
  const builds = [{ name: OURS, root: projectRoot() }, ...options.builds.map(buildOf)]
  const { processes } = options
  const traced = (store: Store) => {
    if (collector === undefined) return []
    const build = { root: projectRoot(), processes, collector, store }
    return [
      songngan({ ...build, name: `${OURS} + traces`, tickets: false }),
      songngan({ ...build, name: `${OURS} + tickets + traces`, tickets: true }),
    ]
  }
  const all = [
    ...stores.flatMap((store) => builds.flatMap((build) => oursOn(store, build, processes))),
    ...stores.flatMap(traced),
    ...stores.map((store) => stock(store)),
    bare(),
    ...options.servers.map(given),
  ]
  const { among } = options
  const chosen = all.filter(
    ({ name, store }) =>
      stores.includes(store) && (among === undefined || among.includes(name) || among.includes(`${name} ${store}`)),
  )
  if (chosen.length === 0) throw new UsageError('no server is selected')
  return chosen.sort((a, b) => (a.store === b.store ? 0 : a.store === 'local' ? -1 : 1))
}

/** Once without tickets, for comparison with other servers, and once with tickets, as with a portal. */
function oursOn(store: Store, { name, root }: { name: string; root: string }, processes: number): Contender[] {
  return [
    songngan({ name, root, store, processes, tickets: false }),
    songngan({ name: `${name} + tickets`, root, store, processes, tickets: true }),
  ]
}

/** @param text `NAME=FOLDER` */
function buildOf(text: string): { name: string; root: string } {
  const equals = text.indexOf('=')
  const root = resolve(text.slice(equals + 1))
  if (equals < 1 || !existsSync(join(root, 'src/server.ts')))
    throw new UsageError(`--build must be NAME=FOLDER of a checkout, not: ${text}`)
  return { name: text.slice(0, equals), root }
}

/** Names of reference servers: those given on the command line, and stock. */
export function referencesOf(contenders: readonly Contender[]): string[] {
  const rank = { given: 0, stock: 1, songngan: 2, bare: 2 }
  const names = contenders
    .filter(({ kind }) => rank[kind] < 2)
    .sort((a, b) => rank[a.kind] - rank[b.kind])
    .map(({ name }) => name)
  return [...new Set(names)]
}
