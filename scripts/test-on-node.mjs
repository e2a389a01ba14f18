// `npm run test:node`: the tests of what depends on Node's internals (src/uploads/socket-reader.ts), on other releases of Node. They come
// from the npm package `node`.

import { join } from 'node:path'
import { run } from './lib/commands.mjs'
import { main, Refusal, say } from './lib/log.mjs'
import { BIN, CACHE, ROOT } from './lib/paths.mjs'
import { setUp } from './lib/setup.mjs'

const RELEASES = ['22', '24']
const TESTS = ['unit/uploads/socket-reading', 'integration/uploads/socket-reader', 'integration/uploads/below-http']

await main(async () => {
  const given = process.argv.slice(2)
  const releases = given.length === 0 ? RELEASES : given
  const strange = releases.find((release) => !/^\d+$/.test(release))
  if (strange !== undefined) throw new Refusal(`not a release of Node: ${strange}`)
  await setUp({ dist: false })
  for (const release of releases) {
    say(`Installing Node ${release} …`)
    const folder = join(CACHE, `node-${release}`)
    const install = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', `node@${release}`]
    const { code: failed, output } = await run('npm', install, { quiet: true, cwd: ROOT })
    if (failed !== 0) throw new Refusal(`Node ${release} could not be installed:\n${output}`)
    const bin = join(folder, 'node_modules/node/bin')
    const env = { PATH: `${bin}:${process.env.PATH}` }
    const { code } = await run(join(bin, 'node'), [join(BIN, 'vitest'), 'run', ...TESTS], { cwd: ROOT, env })
    if (code !== 0) throw new Refusal(`tests fail on Node ${release}`)
  }
}, 'npm run test:node -- [RELEASE …]     tests of what depends on Node’s internals, on other releases of Node (default: 22 24)')
