// The packages of builds before. Their files stay: a service that still runs from this folder sends them until it is started again,
// and afterwards pages that are open, and portals that pin a version, go on asking for them.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** The list of the packages, in the folder where they are. */
export const LIST = 'packages.json'
/** So many versions of each package. */
const KEPT = 4

/** Those in `target` besides the packages of now: their entries in the list, the last build first. */
export function earlierIn(target, packages) {
  const list = join(target, LIST)
  if (!existsSync(list)) return []
  const { packages: last, earlier = [] } = JSON.parse(readFileSync(list, 'utf8'))
  const now = versionsOf(packages)
  const others = [...last, ...earlier].filter(({ version }) => !now.has(version) && existsSync(join(target, version)))
  return packages.flatMap(({ name }) => others.filter((one) => one.name === name).slice(0, KEPT))
}

/** Removes the folders in `target` that none of the packages has. */
export function removeOthers(target, packages) {
  const kept = versionsOf(packages)
  for (const entry of readdirSync(target, { withFileTypes: true }))
    if (entry.isDirectory() && !kept.has(entry.name)) rmSync(join(target, entry.name), { recursive: true })
}

function versionsOf(packages) {
  return new Set(packages.map(({ version }) => version))
}
