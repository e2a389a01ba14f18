// Set-up: system packages, npm packages, build. Fast if nothing is missing.

import { join } from 'node:path'
import { build } from './build.mjs'
import { withLock } from './lock.mjs'
import { Refusal, say } from './log.mjs'
import { installNpmPackages } from './npm.mjs'
import { installPackages, missingPackages } from './packages.mjs'
import { CACHE } from './paths.mjs'

const OLDEST_NODE = [20, 19]

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const fits = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  if (!fits) throw new Refusal(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.version}.`)
}

/**
 * `tools`: the options of `missingPackages`; false: no system packages. `dist`: whether to build.
 * Concurrent set-ups (`npm start` and `npm run try` in two terminals) wait for each other.
 */
export async function setUp({ tools = {}, dist = true } = {}) {
  checkNode()
  const work = async () => {
    if (tools !== false) await installPackages(missingPackages(tools))
    await installNpmPackages()
    if (dist) await build()
  }
  await withLock(join(CACHE, 'setup.lock'), work, (pid) => say(`Waiting for the set-up of process ${pid} …`))
}
